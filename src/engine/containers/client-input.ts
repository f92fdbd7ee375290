import type { Duplex } from 'node:stream';
import type { AttachedStreams } from '../ports.ts';
import { DetachWatch } from './detach-keys.ts';
import type { OutputHub } from './output-hub.ts';

export interface ClientInputOptions {
  /** Whether the client's end of input is the process's too. Otherwise it ends the client's session only. */
  readonly endsProcessInput: boolean;
  readonly detachKeys?: Buffer;
}

export interface ClientInput {
  /** Resolves when the client leaves of its own accord. Never, for one that stays to the end. */
  readonly left: Promise<'detached' | 'input-ended'>;
  stop(): void;
}

/** Copies a client's input to the process, from its start on, no faster than the process reads. */
export function feedInput(connection: Duplex, hub: OutputHub, options: ClientInputOptions): ClientInput {
  const left = Promise.withResolvers<'detached' | 'input-ended'>();
  const watch = options.detachKeys && new DetachWatch(options.detachKeys);
  let release = () => {};
  let stopped = false;

  const feed = (streams: AttachedStreams) => {
    let last = Promise.resolve();
    const onData = (chunk: Buffer) => {
      const { data, detached } = watch?.push(chunk) ?? { data: chunk, detached: false };
      connection.pause();
      // A process that has closed its input, or ended, does not end the session: its output may still come.
      last = last
        .then(() => (data.length > 0 ? streams.write(data) : undefined))
        .catch(() => undefined)
        .then(() => {
          if (detached) left.resolve('detached');
          else if (!stopped) connection.resume();
        });
    };
    const onEnd = () => {
      last.then(() => {
        if (options.endsProcessInput) streams.closeStdin();
        else left.resolve('input-ended');
      });
    };
    const onClose = () => {
      if (options.endsProcessInput && !connection.readableEnded) streams.closeStdin();
    };
    release = () => connection.off('data', onData).off('end', onEnd).off('close', onClose);
    if (connection.readableEnded) onEnd();
    else connection.on('data', onData).on('end', onEnd).on('close', onClose);
  };

  hub.live.then((streams) => {
    if (streams && !stopped) feed(streams);
  });
  return {
    left: left.promise,
    stop: () => {
      stopped = true;
      release();
    },
  };
}
