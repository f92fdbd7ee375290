import type { ExecCreateBody, ExecInspect } from '../../api/contract/index.ts';
import { BerthError, toBerthError } from '../../errors/index.ts';
import { readEnvironment } from '../container/key-values.ts';
import type { Command, CommandContext } from '../context.ts';
import { exitCodes, startFailureCode } from '../exit-codes.ts';
import { containerPath } from '../paths.ts';
import { printError } from '../print-error.ts';
import { attach } from '../streams/attach.ts';
import { parseDetachKeys } from '../streams/detach-keys.ts';
import { followResize } from '../streams/signals.ts';

export const run: Command = async (context) => {
  const { flags, args, engine, environment } = context;
  const [container, ...command] = args;
  const detach = flags.bool('detach');
  const interactive = flags.bool('interactive');
  const tty = flags.bool('tty');
  if (!detach && tty && interactive && !environment.stdin.isTTY) {
    throw new BerthError('invalid', 'the input device is not a TTY', {
      hint: 'leave out -t when stdin is a pipe or a file',
    });
  }
  const body: ExecCreateBody = {
    Cmd: command,
    Env: await readEnvironment(flags.list('env-file'), flags.list('env'), environment),
    User: flags.string('user') ?? '',
    WorkingDir: flags.string('workdir') ?? '',
    Privileged: flags.bool('privileged'),
    Tty: tty,
    AttachStdin: !detach && interactive,
    AttachStdout: !detach,
    AttachStderr: !detach,
    DetachKeys: flags.string('detach-keys') ?? '',
  };
  const detachKeys = parseDetachKeys(flags.string('detach-keys'));
  const { Id } = await engine.json<{ Id: string }>('POST', containerPath(container!, 'exec'), { body });
  try {
    if (detach) await engine.send('POST', `/exec/${Id}/start`, { body: { Detach: true, Tty: tty } });
    else if ((await join(context, Id, { tty, stdin: interactive, detachKeys })) === 'detached') return exitCodes.ok;
  } catch (cause) {
    const code = startFailureCode(printError(environment.stderr, toBerthError(cause)));
    return code === exitCodes.engine ? exitCodes.failure : code;
  }
  if (detach) return exitCodes.ok;
  const { ExitCode } = await engine.json<ExecInspect>('GET', `/exec/${Id}/json`);
  return ExitCode ?? exitCodes.ok;
};

async function join(
  { engine, environment }: CommandContext,
  id: string,
  options: { tty: boolean; stdin: boolean; detachKeys: Buffer },
): Promise<'closed' | 'detached'> {
  const { rows, columns, isTTY } = environment.stdout;
  const size = options.tty && isTTY && rows && columns ? { ConsoleSize: [rows, columns] } : {};
  const { socket } = await engine.hijack('POST', `/exec/${id}/start`, {
    body: { Detach: false, Tty: options.tty, ...size },
  });
  const stopResizing = options.tty ? followResize(engine, `/exec/${id}/resize`, environment) : undefined;
  try {
    return await attach(socket, environment, options);
  } finally {
    stopResizing?.();
  }
}
