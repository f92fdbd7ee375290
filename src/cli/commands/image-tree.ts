import type { ImageInspect, ImageSummary } from '../../api/contract/index.ts';
import type { Command } from '../context.ts';
import { imageTree, treeImage } from '../lists/image-tree.ts';
import { imagePath } from '../paths.ts';

export const run: Command = async ({ flags, args, engine, environment }) => {
  const wanted = await Promise.all(
    args.map((ref) => engine.json<ImageInspect>('GET', imagePath(ref, 'json')).then(({ Id }) => Id)),
  );
  const query = { 'shared-size': 1 };
  const all = await engine.json<readonly ImageSummary[]>('GET', '/images/json', { query });
  const images = await Promise.all(
    all.map(async (image) => treeImage(image, await engine.json<ImageInspect>('GET', imagePath(image.Id, 'json')))),
  );
  // With names: those images, what they stand on, and what stands on them.
  const named = images.filter(({ id }) => wanted.includes(id));
  const begins = (long: readonly string[], short: readonly string[]) => short.every((layer, at) => long[at] === layer);
  const shown =
    args.length === 0
      ? images
      : images.filter(({ diffIds }) =>
          named.some((other) => begins(diffIds, other.diffIds) || begins(other.diffIds, diffIds)),
        );
  environment.stdout.write(imageTree(shown, !flags.bool('no-trunc')));
  return 0;
};
