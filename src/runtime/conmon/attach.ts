import { BerthError } from '../../errors/index.ts';
import { OutputQueue } from '../container/output-queue.ts';
import type { ProcessStreams } from '../container/streams.ts';
import { connectSeqpacket } from '../linux/seqpacket.ts';

const STDERR = 3;
/** conmon reads at most 32 KiB of a packet and drops the rest. */
const largestPacket = 16 * 1024;
/** conmon serves all clients and the log in one loop: a reader that stops holds the container, for no longer than this. */
const stallMs = 10_000;

/** Connects to the streams of a supervised process: a packet has the stream's number in front. */
export function attachStreams(bundle: string): ProcessStreams {
  const socket = connectSeqpacket(`${bundle}/attach`);
  const queue = new OutputQueue({
    stallMs,
    onStall: () => {
      queue.end(
        new BerthError(
          'unavailable',
          'the output was not read for too long; the container goes on without this reader',
        ),
      );
      socket.destroy();
    },
  });
  queue.addSource(socket);
  socket.on('data', (packet: Buffer) => queue.push(packet[0] === STDERR ? 'stderr' : 'stdout', packet.subarray(1)));
  socket.once('end', () => queue.end());
  // A supervisor that ends while it still has input queued resets the connection: the end all the same.
  socket.once('error', () => queue.end());
  socket.once('close', () => queue.end());
  let writing: Promise<void> = Promise.resolve();
  return {
    output: queue,
    write(chunk) {
      writing = writing.then(async () => {
        for (let at = 0; at < chunk.length && socket.writable; at += largestPacket) {
          await writePacket(socket, chunk.subarray(at, at + largestPacket));
        }
      });
      return writing;
    },
    closeStdin() {
      void writing.then(() => socket.end());
    },
    close() {
      socket.destroy();
    },
  };
}

/** One finished write is one packet: a second one begun earlier would be joined to it. */
function writePacket(socket: ReturnType<typeof connectSeqpacket>, packet: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    socket.write(packet, () => resolve());
  });
}
