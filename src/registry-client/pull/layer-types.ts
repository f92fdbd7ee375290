import { BerthError } from '../../errors/index.ts';
import { familiarName } from '../../oci/index.ts';
import type { ResolvedImage } from '../resolve.ts';

/** How a layer is compressed is told by its bytes; its type only has to be one of a layer. */
const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer\.(?:nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(?:foreign\.)?diff\.tar)(?:[.+](?:gzip|zstd))?$/;
const FOREIGN = /nondistributable|foreign/;

/** True for layers that a registry need not have. */
export function isForeignLayer(mediaType: string): boolean {
  return FOREIGN.test(mediaType);
}

/**
 * Refuses images with layers that are not file trees, or that lie outside the registry when those are not wanted.
 * @throws BerthError `unsupported`
 */
export function checkLayerTypes(
  { manifest, reference }: ResolvedImage,
  { allowsForeign }: { readonly allowsForeign: boolean },
): void {
  for (const { mediaType } of manifest.layers) {
    if (!LAYER.test(mediaType)) {
      throw new BerthError('unsupported', `${familiarName(reference)} has a layer of unknown kind: ${mediaType}`);
    }
    if (isForeignLayer(mediaType) && !allowsForeign) {
      throw new BerthError('unsupported', `${familiarName(reference)} has layers that lie outside the registry`, {
        hint: 'they are of Windows images, mostly; allowForeignLayers in registries.json lets them be fetched',
      });
    }
  }
}
