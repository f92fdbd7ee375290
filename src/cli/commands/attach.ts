import type { ContainerInspect } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { runInForeground } from '../container/foreground.ts';
import type { Command } from '../context.ts';
import { containerPath } from '../paths.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';

export const run: Command = async ({ flags, args, engine, environment }) => {
  const detachKeysText = flags.string('detach-keys');
  const detachKeys = parseDetachKeys(detachKeysText);
  const { Id, State, Config, HostConfig } = await engine.json<ContainerInspect>('GET', containerPath(args[0]!, 'json'));
  if (State.Paused) throw new BerthError('conflict', 'you cannot attach to a paused container, unpause it first');
  if (State.Restarting)
    throw new BerthError('conflict', 'you cannot attach to a restarting container, wait until it is running');
  if (!State.Running) throw new BerthError('conflict', 'you cannot attach to a stopped container, start it first');
  const tty = Config.Tty === true;
  const stdin = !flags.bool('no-stdin') && Config.OpenStdin === true;
  if (tty && stdin && !environment.stdin.isTTY) throw new BerthError('invalid', 'the input device is not a TTY');
  return await runInForeground(
    Id,
    { engine, environment },
    {
      tty,
      streams: new Set(['stdout', 'stderr', ...(stdin ? (['stdin'] as const) : [])]),
      sigProxy: flags.bool('sig-proxy'),
      detachKeys,
      detachKeysText,
      waitFor: HostConfig.AutoRemove ? 'removed' : 'not-running',
    },
  );
};
