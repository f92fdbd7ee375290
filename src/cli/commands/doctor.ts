import { BerthError } from '../../errors/index.ts';
import type { Command } from '../context.ts';
import type { Capability } from '../environment.ts';
import { exitCodes } from '../exit-codes.ts';
import { paintFor } from '../paint.ts';

export const run: Command = async ({ flags, environment }) => {
  const { hosts, stdout } = environment;
  const format = flags.string('format') ?? '';
  if (format !== '' && format !== 'json')
    throw new BerthError('invalid', `doctor prints text or json, not '${format}'`);
  const capabilities = await hosts.doctor();
  if (format === 'json') stdout.write(`${JSON.stringify(capabilities)}\n`);
  else stdout.write(report(capabilities, paintFor(stdout)));
  const isFit = capabilities.every(({ ok, required }) => ok || !required);
  return isFit ? exitCodes.ok : exitCodes.failure;
};

const ROLES = { ok: 'good', limited: 'warning', missing: 'error' } as const;

function report(capabilities: readonly Capability[], paint: ReturnType<typeof paintFor>): string {
  const width = Math.max(...capabilities.map(({ name }) => name.length)) + 3;
  const lines = capabilities.flatMap(({ name, ok, status = ok ? 'ok' : 'missing', detail, advice }) => {
    const state = paint(status.padEnd(7), ROLES[status]);
    const first = `${state}  ${name.padEnd(width)}${detail}`.trimEnd();
    return status === 'ok' || !advice ? [first] : [first, `         ${' '.repeat(width)}${paint(advice, 'hint')}`];
  });
  return `${lines.join('\n')}\n`;
}
