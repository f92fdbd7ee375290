import type { ImageHistory } from '../../api/contract/index.ts';
import { formatList } from '../../format/index.ts';
import type { Command } from '../context.ts';
import { historyFormat, historyRow } from '../lists/history-rows.ts';
import { imagePath } from '../paths.ts';

export const run: Command = async ({ flags, args, engine, environment }) => {
  const format = flags.string('format') ?? (flags.bool('quiet') ? '{{.ID}}' : 'table');
  const human = flags.bool('human');
  const steps = await engine.json<readonly ImageHistory[]>('GET', imagePath(args[0]!, 'history'));
  const options = { trunc: !flags.bool('no-trunc'), human, now: environment.now() };
  environment.stdout.write(
    await formatList(
      historyFormat(format, human),
      steps.map((step) => historyRow(step, options)),
    ),
  );
  return 0;
};
