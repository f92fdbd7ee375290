import type { ContainerInspect } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { formatUnixSeconds, parseTimestamp } from '../../units/index.ts';
import type { Command } from '../context.ts';
import { containerPath } from '../paths.ts';
import { copy, demultiplex } from '../streams/attach.ts';

export const run: Command = async ({ flags, args, engine, environment }) => {
  const { stdout, stderr } = environment;
  const now = environment.now();
  const time = (name: string) => {
    const text = flags.string(name);
    return text ? formatUnixSeconds(parseTimestamp(text, now)) : undefined;
  };
  const query = {
    stdout: 1,
    stderr: 1,
    follow: flags.bool('follow') ? 1 : undefined,
    timestamps: flags.bool('timestamps') ? 1 : undefined,
    tail: tailOf(flags.string('tail')),
    since: time('since'),
    until: time('until'),
  };
  const { Id, Config } = await engine.json<ContainerInspect>('GET', containerPath(args[0]!, 'json'));
  const { stream } = await engine.request('GET', containerPath(Id, 'logs'), { query });
  await (Config.Tty ? copy(stream, stdout) : demultiplex(stream, stdout, stderr));
  return 0;
};

/** A negative number means all, as Docker reads it. */
function tailOf(text = 'all'): string {
  if (text === 'all' || /^-\d+$/.test(text)) return 'all';
  if (/^\d+$/.test(text)) return text;
  throw new BerthError('invalid', `invalid number of lines for --tail: '${text}'`, { hint: 'write a number or all' });
}
