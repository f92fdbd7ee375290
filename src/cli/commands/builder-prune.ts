import { confirm } from '../confirm.ts';
import type { Command } from '../context.ts';
import { filtersQuery } from '../lists/filters.ts';
import { pruneBuildCache, reclaimed } from '../prune.ts';

export const run: Command = async ({ flags, engine, environment }) => {
  const all = flags.bool('all');
  const what = all ? 'all build cache' : 'all dangling build cache';
  const warning = `WARNING! This will remove ${what}. Are you sure you want to continue?`;
  if (!flags.bool('force') && !(await confirm(environment, warning))) return 0;
  const { text, bytes } = await pruneBuildCache(engine, {
    all: all ? 1 : undefined,
    filters: filtersQuery(flags.list('filter')),
    'keep-storage': flags.number('keep-storage'),
  });
  environment.stdout.write(`${text}${reclaimed(bytes)}`);
  return 0;
};
