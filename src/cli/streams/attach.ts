import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { FrameDecoder } from '../../api/contract/index.ts';
import { toBerthError } from '../../errors/index.ts';
import type { CliEnvironment, InputStream, OutputStream } from '../environment.ts';
import { DetachWatcher } from './detach-keys.ts';

export interface AttachOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly detachKeys: Buffer;
}

/** How a stream ended: the process closed it, or the user left it. */
export type AttachEnd = 'closed' | 'detached';

/**
 * Joins this terminal with a container's streams until the container closes them or the detach keys are typed.
 * Raw mode is set for a terminal and put back; the connection is destroyed at the end.
 */
export async function attach(
  socket: Duplex,
  environment: Pick<CliEnvironment, 'stdin' | 'stdout' | 'stderr'>,
  options: AttachOptions,
): Promise<AttachEnd> {
  const { stdout, stderr } = environment;
  const input = options.stdin ? forwardInput(socket, environment.stdin, options) : undefined;
  const output = (options.tty ? copy(socket, stdout) : demultiplex(socket, stdout, stderr)).then(
    () => 'closed' as const,
  );
  try {
    return await Promise.race([output, ...(input ? [input.detached] : [])]);
  } finally {
    input?.stop();
    output.catch(() => {});
    socket.destroy();
  }
}

/** Output without a terminal: frames for stdout and stderr. @throws BerthError when the stream breaks */
export async function demultiplex(
  source: AsyncIterable<Uint8Array>,
  stdout: OutputStream,
  stderr: OutputStream,
): Promise<void> {
  const decoder = new FrameDecoder();
  for await (const chunk of source) {
    for (const { stream, payload } of decoder.push(chunk)) {
      await write(stream === 'stdout' || stream === 'stdin' ? stdout : stderr, payload);
    }
  }
}

export async function copy(source: AsyncIterable<Uint8Array>, target: OutputStream): Promise<void> {
  for await (const chunk of source) await write(target, chunk);
}

/** Waits while the reader is slow, so that memory stays small. */
async function write(target: OutputStream, chunk: Uint8Array): Promise<void> {
  if (!target.write(chunk)) await once(target, 'drain');
}

interface Forwarding {
  /** Resolves at the detach keys, never rejects. */
  readonly detached: Promise<'detached'>;
  stop(): void;
}

function forwardInput(socket: Duplex, stdin: InputStream, { tty, detachKeys }: AttachOptions): Forwarding {
  const raw = tty && stdin.isTTY === true;
  const watcher = raw ? new DetachWatcher(detachKeys) : undefined;
  const { promise: detached, resolve } = Promise.withResolvers<'detached'>();
  const onData = (chunk: Buffer | string) => {
    const bytes = Buffer.from(chunk);
    const seen = watcher?.push(bytes) ?? { passed: bytes, detached: false };
    if (seen.passed.length > 0 && !socket.write(seen.passed)) {
      stdin.pause();
      socket.once('drain', () => stdin.resume());
    }
    if (seen.detached) resolve('detached');
  };
  // Ends the process's stdin; its output goes on.
  const onEnd = () => socket.end();
  // The container left while we were sending: the output side tells how it ended.
  socket.on('error', (error) => toBerthError(error));
  if (raw) stdin.setRawMode?.(true);
  stdin.on('data', onData).on('end', onEnd);
  stdin.resume();
  return {
    detached,
    stop: () => {
      stdin.off('data', onData).off('end', onEnd);
      stdin.pause();
      if (raw) stdin.setRawMode?.(false);
    },
  };
}
