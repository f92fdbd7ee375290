import { BerthError } from '../../errors/index.ts';
import { canonicalName, familiarName, hexOf, type ImageId, isDigest, parseReference } from '../../oci/index.ts';
import type { ImageStore, StoredImage } from '../ports.ts';
import { tryReference } from './names.ts';

export interface ResolvedImage {
  readonly image: StoredImage;
  /** The canonical name by which it was found; undefined when it was found by its id. */
  readonly name?: string;
}

/**
 * Finds the image that a user means: a full id, a name (completed as Docker does it), or the start of an id, in this
 * order.
 * @throws BerthError `not-found`, `invalid` (ambiguous prefix, not a reference)
 * @see moby daemon/images/image.go, "GetImage"
 */
export async function resolveImage(
  images: Pick<ImageStore, 'find' | 'get' | 'list'>,
  ref: string,
): Promise<ResolvedImage> {
  const id = fullId(ref);
  if (id !== undefined) {
    const image = await images.get(id);
    if (image === undefined) throw new BerthError('not-found', `No such image: ${ref}`);
    return { image };
  }
  const reference = tryReference(ref);
  if (reference !== undefined) {
    const name = canonicalName(reference);
    const image = await images.find(name);
    if (image !== undefined) return { image, name };
  }
  const byPrefix = await findByPrefix(images, ref);
  if (byPrefix !== undefined) return { image: byPrefix };
  // Text that is no reference either gets the parser's own explanation.
  if (reference === undefined && !ref.startsWith('sha256:')) parseReference(ref);
  throw new BerthError('not-found', `No such image: ${reference === undefined ? ref : familiarName(reference)}`);
}

function fullId(ref: string): ImageId | undefined {
  const text = /^[0-9a-f]{64}$/.test(ref) ? `sha256:${ref}` : ref;
  return isDigest(text) ? text : undefined;
}

async function findByPrefix(images: Pick<ImageStore, 'list'>, ref: string): Promise<StoredImage | undefined> {
  const prefix = ref.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) return undefined;
  const matches = (await images.list()).filter(({ id }) => hexOf(id).startsWith(prefix));
  if (matches.length > 1) {
    throw new BerthError('invalid', `multiple IDs found with provided prefix: ${ref}`, {
      hint: 'write more characters of the id',
    });
  }
  return matches[0];
}
