import type { WaitCondition, WaitResult } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { Engine } from '../connection/engine.ts';
import type { CliEnvironment } from '../environment.ts';
import { exitCodes } from '../exit-codes.ts';
import { containerPath } from '../paths.ts';
import { attach } from '../streams/attach.ts';
import { followResize, proxySignals } from '../streams/signals.ts';

export interface ForegroundOptions {
  readonly tty: boolean;
  readonly streams: ReadonlySet<'stdin' | 'stdout' | 'stderr'>;
  readonly sigProxy: boolean;
  readonly detachKeys: Buffer;
  /** As the user wrote them: the engine watches for them, too. */
  readonly detachKeysText: string | undefined;
  readonly waitFor: WaitCondition;
  /** Starts the process, once its streams are joined. Absent for a container that runs already. */
  readonly start?: () => Promise<void>;
}

/**
 * Runs or joins a container in the foreground: streams, then wait, then start, so that neither the first output nor a
 * fast exit is missed.
 * @returns the container's exit code, 0 when the user detached
 */
export async function runInForeground(
  id: string,
  { engine, environment }: { readonly engine: Engine; readonly environment: CliEnvironment },
  options: ForegroundOptions,
): Promise<number> {
  const { streams, tty } = options;
  const { socket } = await engine.hijack('POST', containerPath(id, 'attach'), {
    query: {
      stream: 1,
      stdin: streams.has('stdin') ? 1 : undefined,
      stdout: streams.has('stdout') ? 1 : undefined,
      stderr: streams.has('stderr') ? 1 : undefined,
      detachKeys: options.detachKeysText,
    },
  });
  const proxy = options.sigProxy && !tty ? proxySignals(engine, id, environment) : undefined;
  let stopResizing: (() => void) | undefined;
  try {
    const exit = exitOf(engine, id, options.waitFor);
    await exit.armed;
    const joined = attach(socket, environment, { tty, stdin: streams.has('stdin'), detachKeys: options.detachKeys });
    joined.catch(() => {});
    await options.start?.();
    if (tty) stopResizing = followResize(engine, containerPath(id, 'resize'), environment);
    const end = await Promise.race([joined, ...(proxy ? [proxy.insisted] : [])]);
    if (end === 'detached') {
      environment.stderr.write('\nread escape sequence\n');
      return exitCodes.ok;
    }
    const code = end === 'insisted' ? end : await Promise.race([exit.code, ...(proxy ? [proxy.insisted] : [])]);
    if (code !== 'insisted') return code;
    environment.stderr.write(
      `\nleft container ${id.slice(0, 12)} running: stop it with 'berth stop' or 'berth kill'\n`,
    );
    return exitCodes.interrupted;
  } finally {
    stopResizing?.();
    proxy?.stop();
    socket.destroy();
  }
}

/** Asks for the exit code. The engine answers with headers at once, when it is sure not to miss the end. */
function exitOf(engine: Engine, id: string, condition: WaitCondition): { armed: Promise<void>; code: Promise<number> } {
  const response = engine.request('POST', containerPath(id, 'wait'), { query: { condition } });
  const code = response.then(async (answer) => {
    const { StatusCode, Error: failure } = await answer.json<WaitResult>();
    if (failure) throw new BerthError('internal', failure.Message);
    return StatusCode;
  });
  // Read later, or never when the start fails.
  code.catch(() => {});
  return { armed: response.then(() => {}), code };
}
