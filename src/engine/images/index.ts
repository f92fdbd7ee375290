import type { Filters, ImageDeleted } from '../../api/contract/index.ts';
import { hostPlatform } from '../../oci/index.ts';
import type { ImagesApi } from '../api.ts';
import { type ImageDependencies, type ImagePorts, imageContext } from './context.ts';
import { importImage } from './import.ts';
import { imageHistory, inspectImage } from './inspect.ts';
import { listImages } from './list.ts';
import { loadImages } from './load/load.ts';
import { newName, shown } from './names.ts';
import { pruneImages } from './prune.ts';
import { removeImage } from './remove.ts';
import { resolveImage } from './resolve.ts';
import { saveImages } from './save/save.ts';

export { commitImage } from './commit-image.ts';
export type { ImageDependencies, ImagePorts, ImageUser } from './context.ts';
export { optionalName } from './names.ts';
export { resolveImage } from './resolve.ts';

/** Images, with what only other parts of the engine call. */
export interface Images extends ImagesApi {
  /** Removes the images that no container uses: those without a tag, or with the filter `dangling=false` all. */
  prune(filters: Filters): Promise<readonly ImageDeleted[]>;
}

/** The image half of the engine. It owns nothing: all state is behind the ports. */
export function createImages(ports: ImagePorts, deps: ImageDependencies): Images {
  const context = imageContext(ports, deps, deps.platform ?? hostPlatform(process.arch));
  return {
    list: (options) => listImages(context, options),
    inspect: (ref) => inspectImage(context, ref),
    history: (ref) => imageHistory(context, ref),
    tag: async (ref, repo, tag) => {
      const { image } = await resolveImage(ports.images, ref);
      const name = newName(repo, tag);
      await ports.images.tag(image.id, name);
      context.publish('tag', image, shown(name));
    },
    remove: (ref, options) => removeImage(context, ref, options),
    prune: (filters) => pruneImages(context, filters),
    save: (refs) => saveImages(context, refs),
    load: (tar, signal) => loadImages(context, tar, signal),
    import: (tar, query) => importImage(context, tar, query),
  };
}
