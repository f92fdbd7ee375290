import type { ContainerInspect } from '../../api/contract/index.ts';
import { BerthError, toBerthError } from '../../errors/index.ts';
import { runInForeground } from '../container/foreground.ts';
import type { Command, CommandContext } from '../context.ts';
import { ExitStatus, startFailureCode } from '../exit-codes.ts';
import { containerPath } from '../paths.ts';
import { printError } from '../print-error.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';
import { forEachContainer } from './lifecycle.ts';

export const run: Command = async (context) => {
  const { flags, args, engine } = context;
  if (flags.bool('attach') || flags.bool('interactive')) {
    if (args.length > 1) throw new BerthError('invalid', 'you cannot start and attach multiple containers at once');
    return await startAttached(context);
  }
  return await forEachContainer(context, async (ref) => {
    await engine.send('POST', containerPath(ref, 'start'));
    return ref;
  });
};

async function startAttached({ flags, args, engine, environment }: CommandContext): Promise<number> {
  const detachKeysText = flags.string('detach-keys');
  const detachKeys = parseDetachKeys(detachKeysText);
  const container = await engine.json<ContainerInspect>('GET', containerPath(args[0]!, 'json'));
  const stdin = flags.bool('interactive') && container.Config.OpenStdin === true;
  return await runInForeground(
    container.Id,
    { engine, environment },
    {
      tty: container.Config.Tty === true,
      streams: new Set(['stdout', 'stderr', ...(stdin ? (['stdin'] as const) : [])]),
      sigProxy: true,
      detachKeys,
      detachKeysText,
      waitFor: container.HostConfig.AutoRemove ? 'removed' : 'next-exit',
      start: async () => {
        try {
          await engine.send('POST', containerPath(container.Id, 'start'));
        } catch (cause) {
          const error = printError(environment.stderr, toBerthError(cause));
          throw new ExitStatus(startFailureCode(error));
        }
      },
    },
  );
}
