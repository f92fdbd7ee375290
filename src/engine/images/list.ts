import type { Filters, ImageSummary } from '../../api/contract/index.ts';
import type { ImageContext } from './context.ts';
import { createdMs, imageFilter } from './filters.ts';
import { layerSizes, sum } from './layers.ts';
import { shown } from './names.ts';

/** Newest first, as Docker lists them. */
export async function listImages(context: ImageContext, filters: Filters): Promise<readonly ImageSummary[]> {
  const { images, snapshots } = context.ports;
  const filter = await imageFilter(filters, context);
  const sizesOf = layerSizes(snapshots);
  const accepted = (await images.list()).filter(filter.accepts);
  const summaries = accepted.map(
    async (image): Promise<ImageSummary> => ({
      Id: image.id,
      ParentId: '',
      RepoTags: image.names.filter(filter.shows).map(shown),
      RepoDigests: image.repoDigests.filter(filter.shows).map(shown),
      Created: Math.floor(createdMs(image) / 1000),
      Size: sum(await sizesOf(image.config)),
      SharedSize: -1,
      Labels: image.config.config?.Labels ?? null,
      Containers: -1,
    }),
  );
  const listed = await Promise.all(summaries);
  return listed.sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
}
