import { confirm } from '../confirm.ts';
import type { Command } from '../context.ts';
import { filtersQuery } from '../lists/filters.ts';
import { type Pruned, pruneBuildCache, pruneContainers, pruneImages, pruneVolumes, reclaimed } from '../prune.ts';

/** What goes, in order: what is removed first may be all that needed the next. */
interface Part {
  readonly warning: string;
  prune(): Promise<Pruned>;
}

export const run: Command = async ({ flags, engine, environment }) => {
  const all = flags.bool('all');
  const given = flags.list('filter');
  // Build cache has no labels, and volumes have no age that counts. @see docker/cli command/system/prune.go
  const unlabelled = given.filter((filter) => !filter.startsWith('label'));
  const labels = given.filter((filter) => filter.startsWith('label'));
  const parts: readonly Part[] = [
    { warning: 'all stopped containers', prune: () => pruneContainers(engine, { filters: filtersQuery(given) }) },
    ...(flags.bool('volumes')
      ? [
          {
            warning: 'all anonymous volumes not used by at least one container',
            prune: () => pruneVolumes(engine, { filters: filtersQuery(labels) }),
          },
        ]
      : []),
    {
      warning: all ? 'all images without at least one container associated to them' : 'all dangling images',
      prune: () => pruneImages(engine, { filters: filtersQuery(given, { dangling: String(!all) }) }),
    },
    {
      warning: all ? 'all build cache' : 'unused build cache',
      prune: () => pruneBuildCache(engine, { all: all ? 1 : undefined, filters: filtersQuery(unlabelled) }),
    },
  ];
  const { stdout } = environment;
  if (!flags.bool('force')) {
    const warning = [
      'WARNING! This will remove:',
      ...parts.map((part) => `  - ${part.warning}`),
      ...(given.length === 0
        ? []
        : ['', `  Items to be pruned will be filtered with:`, ...given.map((text) => `  - ${text}`)]),
      '',
      'Are you sure you want to continue?',
    ];
    if (!(await confirm(environment, warning.join('\n')))) return 0;
  }
  let total = 0;
  for (const part of parts) {
    const { text, bytes } = await part.prune();
    stdout.write(text);
    total += bytes;
  }
  stdout.write(reclaimed(total));
  return 0;
};
