import type { Duplex } from 'node:stream';
import type { Attachment } from '../api.ts';
import { type ClientInputOptions, feedInput } from './client-input.ts';
import { ClientOutput, type ClientOutputOptions } from './client-output.ts';
import type { OutputHub } from './output-hub.ts';

export interface SessionOptions extends ClientOutputOptions {
  /** Absent when the client's input is ignored. */
  readonly input?: ClientInputOptions;
  readonly onDetach?: () => void;
}

/** A client's place at a process, taken before its connection is bound: output from now on is kept for it. */
export function openSession(hub: OutputHub, options: SessionOptions): Attachment {
  const output = new ClientOutput(hub, options);
  return { tty: options.tty, bind: (connection) => bind(connection, hub, output, options) };
}

async function bind(connection: Duplex, hub: OutputHub, output: ClientOutput, options: SessionOptions): Promise<void> {
  const closed = new Promise<'closed'>((resolve) => {
    if (connection.destroyed) resolve('closed');
    connection.on('close', () => resolve('closed'));
    // A broken connection is a client that left. The listener stays on: an error may follow the end.
    connection.on('error', () => resolve('closed'));
  });
  output.connect(connection);
  const input = options.input && feedInput(connection, hub, options.input);
  if (!input) connection.resume();
  const outcome = await Promise.race([
    output.done.then(() => 'ended' as const),
    closed,
    ...(input ? [input.left] : []),
  ]);
  input?.stop();
  output.close();
  if (outcome === 'detached') options.onDetach?.();
  if (outcome !== 'closed') await endConnection(connection);
}

/** Sends what is left and our end; then only waits for the other side's end, so that no tail is cut off by a reset. */
async function endConnection(connection: Duplex): Promise<void> {
  if (connection.destroyed) return;
  connection.resume();
  await new Promise<void>((resolve) => {
    connection.once('close', () => resolve());
    connection.end(() => resolve());
  });
}
