import { confirm } from '../confirm.ts';
import type { Command } from '../context.ts';
import { filtersQuery } from '../lists/filters.ts';
import { pruneImages, reclaimed } from '../prune.ts';

export const run: Command = async ({ flags, engine, environment }) => {
  const all = flags.bool('all');
  const what = all ? 'all images without at least one container associated to them' : 'all dangling images';
  const warning = `WARNING! This will remove ${what}.\nAre you sure you want to continue?`;
  if (!flags.bool('force') && !(await confirm(environment, warning))) return 0;
  const filters = filtersQuery(flags.list('filter'), { dangling: String(!all) });
  const { text, bytes } = await pruneImages(engine, { filters });
  environment.stdout.write(`${text}${reclaimed(bytes)}`);
  return 0;
};
