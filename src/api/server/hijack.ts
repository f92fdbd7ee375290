import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { toBerthError } from '../../errors/index.ts';
import { encodeFrame } from '../contract/index.ts';

const CLOSE_GRACE_MS = 10_000;

/**
 * Takes a connection away from Node's HTTP parser, after a request that was complete. Listening for `data` makes Node
 * hand the file descriptor back to JavaScript; the parser's own listeners go away with ours. The `end` listener would
 * close the connection at the client's half-close.
 */
export function takeFromParser(socket: Socket): void {
  socket.on('data', () => {});
  for (const event of ['data', 'end', 'drain']) socket.removeAllListeners(event);
  socket.pause();
  // As Node does for upgraded connections: the next reader starts the flow, however it reads.
  Reflect.set(socket, 'readableFlowing', null);
}

/** Runs a stream over a hijacked connection. A failure is told in the stream: the status line is long gone. */
export async function serveStream(
  connection: Duplex,
  tty: boolean,
  bind: (connection: Duplex) => Promise<void>,
): Promise<void> {
  connection.on('error', () => connection.destroy());
  try {
    await bind(connection);
  } catch (error) {
    const text = Buffer.from(`${toBerthError(error).message}\r\n`, 'utf8');
    if (connection.writable) connection.write(tty ? text : encodeFrame('stderr', text));
  } finally {
    await closeGently(connection);
  }
}

/** Sends what is queued, then ends our half; the client's half is dropped when it does not follow. */
export async function closeGently(connection: Duplex): Promise<void> {
  if (connection.destroyed) return;
  const timer = setTimeout(() => connection.destroy(), CLOSE_GRACE_MS);
  try {
    connection.end();
    await finished(connection, { readable: false });
  } catch {
    // The client went first: there is nobody left to tell.
  } finally {
    clearTimeout(timer);
    connection.destroy();
  }
}
