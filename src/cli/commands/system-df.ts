import type { DiskUsageBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { formatList, visibleText } from '../../format/index.ts';
import type { Command } from '../context.ts';
import { usageFormat, usageRows, usageSections } from '../lists/usage-rows.ts';

export const run: Command = async ({ flags, engine, environment }) => {
  const { stdout, now } = environment;
  const format = flags.string('format');
  const [verbose, verify] = [flags.bool('verbose'), flags.bool('verify')];
  if (verbose && format !== undefined && format !== 'json') {
    throw new BerthError('invalid', 'the verbose and the format options conflict');
  }
  const usage = await engine.json<DiskUsageBody>('GET', '/system/df', {
    query: { 'berth-verify': verify ? 1 : undefined },
  });
  if (verbose && format === 'json') stdout.write(`${JSON.stringify(usage)}\n`);
  else if (!verbose) stdout.write(await formatList(usageFormat(format ?? 'table'), usageRows(usage)));
  else {
    const sections = usageSections(usage, now()).map(
      async ({ title, list, rows }) => `${title}\n\n${await formatList(list, rows)}`,
    );
    stdout.write((await Promise.all(sections)).join('\n'));
  }
  if (!verify) return 0;
  const problems = usage.Problems ?? [];
  if (problems.length === 0) stdout.write('\nAll records and contents agree with the disk.\n');
  else
    stdout.write(
      `\nProblems:\n${problems.map((p) => `  ${p.Kind}: ${visibleText(p.Subject)}: ${visibleText(p.Message)}\n`).join('')}`,
    );
  return problems.length === 0 ? 0 : 1;
};
