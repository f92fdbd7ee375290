import type { ImageSummary } from '../../api/contract/index.ts';
import { formatList } from '../../format/index.ts';
import type { Command } from '../context.ts';
import { filtersQuery } from '../lists/filters.ts';
import { imageRows, imagesFormat } from '../lists/image-rows.ts';

export const run: Command = async ({ flags, args, engine, environment }) => {
  const format = flags.string('format') ?? (flags.bool('quiet') ? '{{.ID}}' : 'table');
  const digests = flags.bool('digests');
  const [reference] = args;
  const tree = flags.bool('tree');
  const asksForShares = tree || format === 'json' || /\.(?:SharedSize|UniqueSize|Containers)\b/.test(format);
  const images = await engine.json<readonly ImageSummary[]>('GET', '/images/json', {
    query: {
      all: flags.bool('all') ? 1 : undefined,
      'shared-size': asksForShares ? 1 : undefined,
      filters: filtersQuery(flags.list('filter'), reference === undefined ? {} : { reference }),
    },
  });
  if (tree) {
    const { imageUses } = await import('../lists/image-uses.ts');
    environment.stdout.write(await imageUses(images));
    return 0;
  }
  const options = { trunc: !flags.bool('no-trunc'), digests, now: environment.now() };
  environment.stdout.write(
    await formatList(
      imagesFormat(format, digests),
      images.flatMap((image) => imageRows(image, options)),
    ),
  );
  return 0;
};
