import type { Filters, ImageDeleted } from '../../api/contract/index.ts';
import { isBerthError } from '../../errors/index.ts';
import type { StoredImage } from '../ports.ts';
import type { ImageContext } from './context.ts';
import { booleanValue, createdMs, imageFilter } from './filters.ts';
import { removeImage } from './remove.ts';

/**
 * Removes images that no container uses: those that have no tag, or with the filter `dangling=false` all of them.
 * Unlike Docker, an image that a container uses keeps all of its names.
 * @see moby daemon/images/image_prune.go
 */
export async function pruneImages(context: ImageContext, filters: Filters): Promise<readonly ImageDeleted[]> {
  const { dangling, others } = split(filters);
  const { accepts } = await imageFilter(others, context);
  const isChosen = (image: StoredImage) => (!dangling || image.names.length === 0) && accepts(image);
  const removed: ImageDeleted[] = [];
  // Oldest first: the order does not depend on how the store keeps them.
  const images = (await context.ports.images.list()).filter(isChosen);
  for (const { id } of images.sort((a, b) => createdMs(a) - createdMs(b) || (a.id < b.id ? -1 : 1))) {
    // It may have got a name, or a container, while others were removed.
    const image = await context.ports.images.get(id);
    if (image === undefined || !isChosen(image) || (await context.containersUsing(id)).length > 0) continue;
    try {
      removed.push(...(await removeImage(context, id, { force: true })));
    } catch (error) {
      if (!isBerthError(error) || (error.kind !== 'conflict' && error.kind !== 'not-found')) throw error;
    }
  }
  return removed;
}

function split(filters: Filters): { readonly dangling: boolean; readonly others: Filters } {
  const others = new Map(filters);
  others.delete('dangling');
  const value = filters.get('dangling')?.[0];
  return { dangling: value === undefined || booleanValue(value), others };
}
