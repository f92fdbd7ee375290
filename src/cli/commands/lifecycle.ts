import type { WaitResult } from '../../api/contract/index.ts';
import { BerthError, isBerthError } from '../../errors/index.ts';
import type { Command, CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { containerPath } from '../paths.ts';
import { printError } from '../print-error.ts';

export const stop: Command = (context) => signalled(context, 'stop');
export const restart: Command = (context) => signalled(context, 'restart');

export const pause: Command = (context) => changed(context, 'pause');
export const unpause: Command = (context) => changed(context, 'unpause');

export const kill: Command = (context) =>
  forEachContainer(context, async (ref) => {
    await context.engine.send('POST', containerPath(ref, 'kill'), {
      query: { signal: context.flags.string('signal') },
    });
    return ref;
  });

export const wait: Command = (context) =>
  forEachContainer(context, async (ref) => {
    const result = await context.engine.json<WaitResult>('POST', containerPath(ref, 'wait'));
    if (result.Error) throw new BerthError('internal', result.Error.Message);
    return String(result.StatusCode);
  });

export const remove: Command = (context) => {
  const { flags, engine, environment } = context;
  const force = flags.bool('force');
  const query = { force: force ? 1 : undefined, v: flags.bool('volumes') ? 1 : undefined };
  return forEachContainer(context, async (ref) => {
    try {
      await engine.send('DELETE', containerPath(ref), { query });
      return ref;
    } catch (error) {
      // With -f, what is not there is as good as removed.
      if (!force || !isBerthError(error) || error.kind !== 'not-found') throw error;
      printError(environment.stderr, error);
      return undefined;
    }
  });
};

function changed(context: CommandContext, operation: 'pause' | 'unpause'): Promise<number> {
  return forEachContainer(context, async (ref) => {
    await context.engine.send('POST', containerPath(ref, operation));
    return ref;
  });
}

function signalled(context: CommandContext, operation: 'stop' | 'restart'): Promise<number> {
  const { flags, engine } = context;
  const query = { t: flags.number('timeout'), signal: flags.string('signal') };
  return forEachContainer(context, async (ref) => {
    await engine.send('POST', containerPath(ref, operation), { query });
    return ref;
  });
}

/** Acts on all arguments at once and prints in their order; one failure does not stop the others. */
export async function forEachContainer(
  { args, environment }: CommandContext,
  action: (ref: string) => Promise<string | undefined>,
): Promise<number> {
  const latest = new Map<string, Promise<string | undefined>>();
  const actions = args.map((given) => {
    const ref = given.trim();
    // What is named twice is done twice, one after the other: the second removal finds nothing.
    const running = latest.has(ref)
      ? latest.get(ref)!.then(
          () => action(ref),
          () => action(ref),
        )
      : action(ref);
    latest.set(ref, running);
    return running;
  });
  for (const running of actions) running.catch(() => {});
  let code: number = exitCodes.ok;
  for (const running of actions) {
    try {
      const line = await running;
      if (line !== undefined) environment.stdout.write(`${line}\n`);
    } catch (error) {
      printError(environment.stderr, error);
      code = exitCodes.failure;
    }
  }
  return code;
}
