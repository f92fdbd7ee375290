import { confirm } from '../confirm.ts';
import type { Command } from '../context.ts';
import { filtersQuery } from '../lists/filters.ts';
import { pruneContainers, reclaimed } from '../prune.ts';

const WARNING = 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?';

export const run: Command = async ({ flags, engine, environment }) => {
  if (!flags.bool('force') && !(await confirm(environment, WARNING))) return 0;
  const { text, bytes } = await pruneContainers(engine, { filters: filtersQuery(flags.list('filter')) });
  environment.stdout.write(`${text}${reclaimed(bytes)}`);
  return 0;
};
