import { join } from 'node:path';
import { algorithmOf, type Digest, hexOf } from '../../oci/index.ts';

/** @see image-spec image-layout.md, "Blobs" */
export function blobFolder(dataFolder: string, algorithm: 'sha256' | 'sha512'): string {
  return join(dataFolder, 'content', 'blobs', algorithm);
}

export function blobPath(dataFolder: string, digest: Digest): string {
  return join(blobFolder(dataFolder, algorithmOf(digest)), hexOf(digest));
}
