import type { Filters, ImageSummary } from '../../api/contract/index.ts';
import { type ChainId, chainIds } from '../../oci/index.ts';
import type { StoredImage } from '../ports.ts';
import type { ImageContext } from './context.ts';
import { createdMs, imageFilter } from './filters.ts';
import { layerSizes, sum } from './layers.ts';
import { shown } from './names.ts';

export interface ImageListOptions {
  readonly filters: Filters;
  /** Also tell which bytes other images have, too, and how many containers use the image; else both are -1. */
  readonly sharedSize?: boolean;
}

/** Newest first, as Docker lists them. */
export async function listImages(
  context: ImageContext,
  { filters, sharedSize = false }: ImageListOptions,
): Promise<readonly ImageSummary[]> {
  const { images, snapshots } = context.ports;
  const filter = await imageFilter(filters, context);
  const sizesOf = layerSizes(snapshots);
  const all = await images.list();
  const accepted = all.filter(filter.accepts);
  const sharedOf = sharedSize ? sharedSizes(all, sizesOf) : undefined;
  const summaries = accepted.map(
    async (image): Promise<ImageSummary> => ({
      Id: image.id,
      ParentId: '',
      RepoTags: image.names.filter(filter.shows).map(shown),
      RepoDigests: image.repoDigests.filter(filter.shows).map(shown),
      Created: Math.floor(createdMs(image) / 1000),
      Size: sum(await sizesOf(image.config)),
      SharedSize: (await sharedOf?.(image)) ?? -1,
      Labels: image.config.config?.Labels ?? null,
      Containers: sharedSize ? (await context.containersUsing(image.id)).length : -1,
    }),
  );
  const listed = await Promise.all(summaries);
  return listed.sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
}

/** Bytes of an image's layers that another image has, too, whether it is listed or not. */
function sharedSizes(all: readonly StoredImage[], sizesOf: ReturnType<typeof layerSizes>) {
  const holders = new Map<ChainId, number>();
  for (const { config } of all) {
    for (const chain of chainIds(config.rootfs.diff_ids)) holders.set(chain, (holders.get(chain) ?? 0) + 1);
  }
  return async ({ config }: StoredImage) => {
    const chains = chainIds(config.rootfs.diff_ids);
    const sizes = await sizesOf(config);
    return sum(sizes.filter((_size, index) => (holders.get(chains[index]!) ?? 0) > 1));
  };
}
