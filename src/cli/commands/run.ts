import type { ContainerCreateBody } from '../../api/contract/index.ts';
import { BerthError, toBerthError } from '../../errors/index.ts';
import { attachedStreams } from '../container/create-body.ts';
import { createContainer } from '../container/create-container.ts';
import { runInForeground } from '../container/foreground.ts';
import type { Command, CommandContext } from '../context.ts';
import { ExitStatus, exitCodes, startFailureCode } from '../exit-codes.ts';
import { containerPath } from '../paths.ts';
import { printError } from '../print-error.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';

export const run: Command = async (context) => {
  const { flags, environment, engine } = context;
  const detach = flags.bool('detach');
  if (detach && flags.has('attach'))
    throw new BerthError('invalid', 'conflicting options: cannot specify both --attach and --detach');
  const streams = attachedStreams(context);
  const detachKeys = parseDetachKeys(flags.string('detach-keys'));
  const tty = flags.bool('tty');
  if (tty && streams.has('stdin') && !environment.stdin.isTTY) {
    printError(
      environment.stderr,
      new BerthError('invalid', 'the input device is not a TTY', {
        hint: 'leave out -t when stdin is a pipe or a file',
      }),
    );
    return exitCodes.failure;
  }
  const { id, body } = await createContainer(context);
  const start = () => startContainer(context, id, body);
  if (streams.size === 0) {
    await start();
    environment.stdout.write(`${id}\n`);
    return exitCodes.ok;
  }
  return await runInForeground(
    id,
    { engine, environment },
    {
      tty,
      streams,
      sigProxy: flags.bool('sig-proxy'),
      detachKeys,
      detachKeysText: flags.string('detach-keys'),
      waitFor: flags.bool('rm') ? 'removed' : 'next-exit',
      start,
    },
  );
};

/** A command that cannot be started ends `run` with 126 or 127, as a shell does. */
async function startContainer(
  { engine, environment, flags, args }: CommandContext,
  id: string,
  body: ContainerCreateBody,
): Promise<void> {
  try {
    await engine.send('POST', containerPath(id, 'start'));
  } catch (cause) {
    const error = toBerthError(cause);
    const code = startFailureCode(error);
    printError(environment.stderr, code === exitCodes.notFound ? withFlagHint(error, args, body) : error);
    if (flags.bool('rm')) await engine.send('DELETE', containerPath(id), { query: { force: 1, v: 1 } }).catch(() => {});
    throw new ExitStatus(code);
  }
}

/** `berth run IMAGE -it`: what stands behind the image's name is the command. */
function withFlagHint(
  error: BerthError,
  [image, first]: readonly string[],
  { Entrypoint }: ContainerCreateBody,
): BerthError {
  if (!first?.startsWith('-') || Entrypoint) return error;
  const hint = `'${first}' is run as the command: flags go before the image, as berth run ${first} ${image}`;
  return new BerthError(error.kind, error.message, { hint, cause: error });
}
