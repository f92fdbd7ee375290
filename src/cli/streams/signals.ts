import type { Engine } from '../connection/engine.ts';
import type { CliEnvironment } from '../environment.ts';
import { containerPath } from '../paths.ts';

/** Signals that a container's process gets in our place. SIGWINCH has its own way; SIGPIPE, SIGCHLD and SIGURG are ours. */
const PROXIED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
];
const PATIENCE = 3;

export interface SignalProxy {
  /** Resolves when the user insisted: the third SIGINT or SIGTERM that the process did not obey. */
  readonly insisted: Promise<'insisted'>;
  stop(): void;
}

/**
 * Passes signals on to a container's process. A process 1 without a handler ignores SIGINT: whoever presses Ctrl-C
 * three times gets the prompt back, while the container goes on.
 */
export function proxySignals(engine: Engine, id: string, { signals }: Pick<CliEnvironment, 'signals'>): SignalProxy {
  const { promise: insisted, resolve } = Promise.withResolvers<'insisted'>();
  let stops = 0;
  const pass = (signal: NodeJS.Signals) => {
    const isStop = signal === 'SIGINT' || signal === 'SIGTERM';
    if (isStop && ++stops >= PATIENCE) return resolve('insisted');
    // A container that has just ended cannot be signalled any more: its exit code is on the way.
    engine.send('POST', containerPath(id, 'kill'), { query: { signal } }).catch(() => {});
  };
  for (const signal of PROXIED) signals.on(signal, pass);
  return {
    insisted,
    stop: () => {
      for (const signal of PROXIED) signals.off(signal, pass);
    },
  };
}

/** Keeps the size of a remote terminal the same as ours. `path` is the resize operation. @returns what stops it */
export function followResize(
  engine: Engine,
  path: string,
  { stdout, signals }: Pick<CliEnvironment, 'stdout' | 'signals'>,
): () => void {
  const resize = () => {
    const { rows, columns } = stdout;
    if (!stdout.isTTY || !rows || !columns) return;
    // The process may not be there yet, or no more: the next change of size tries again.
    engine.send('POST', path, { query: { h: rows, w: columns } }).catch(() => {});
  };
  resize();
  signals.on('SIGWINCH', resize);
  return () => signals.off('SIGWINCH', resize);
}
