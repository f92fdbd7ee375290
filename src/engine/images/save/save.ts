import { encodeHeader, endOfArchive, padding, type TarEntry } from '../../../archive/index.ts';
import { BerthError } from '../../../errors/index.ts';
import { canonicalName, chainIds, type ImageId, parseReference } from '../../../oci/index.ts';
import type { StoredImage } from '../../ports.ts';
import { verified } from '../content.ts';
import type { ImageContext } from '../context.ts';
import { type LayerInfo, layersOf } from '../layers.ts';
import { repositoryOf } from '../names.ts';
import { resolveImage } from '../resolve.ts';
import { type ArchiveLayout, archiveLayout, type SavedImage } from './layout.ts';

/**
 * One archive of several images. Everything that can be wrong with the request is found before the first byte.
 * A name without a tag means all tags of that repository; an id saves the image without names.
 * @throws BerthError `not-found`, `invalid`
 */
export async function saveImages(context: ImageContext, refs: readonly string[]): Promise<AsyncIterable<Uint8Array>> {
  if (refs.length === 0) throw new BerthError('invalid', 'no images to save were named');
  const selected = new Map<ImageId, { image: StoredImage; names: Set<string> }>();
  for (const ref of refs) {
    for (const { image, name } of await select(context, ref)) {
      const entry = selected.get(image.id) ?? { image, names: new Set() };
      if (name !== undefined) entry.names.add(name);
      selected.set(image.id, entry);
    }
  }
  const saved: SavedImage[] = [];
  for (const { image, names } of selected.values()) {
    saved.push({ image, names: [...names], layers: await layersOf(context.ports.snapshots, image.config) });
  }
  return archive(context, saved);
}

async function select(context: ImageContext, ref: string) {
  const { images } = context.ports;
  const found = await resolveImage(images, ref).catch((error: unknown) => error);
  if (!(found instanceof Error)) {
    const { image, name } = found as Awaited<ReturnType<typeof resolveImage>>;
    // A reference by digest keeps no tag; a name without tag is handled below.
    if (name === undefined || name.includes('@')) return [{ image, name: undefined }];
    if (hasTag(ref)) return [{ image, name }];
  }
  const all = hasTag(ref) ? [] : await tagsOf(context, ref);
  if (all.length > 0) return all;
  throw found;
}

async function tagsOf({ ports }: ImageContext, ref: string) {
  const repository = tryRepository(ref);
  const list = repository === undefined ? [] : await ports.images.list();
  return list.flatMap((image) =>
    image.names.filter((name) => repositoryOf(name) === repository).map((name) => ({ image, name })),
  );
}

function hasTag(ref: string): boolean {
  return /[:@]/.test(ref.slice(ref.lastIndexOf('/') + 1));
}

function tryRepository(ref: string): string | undefined {
  try {
    return canonicalName(parseReference(ref));
  } catch {
    return undefined;
  }
}

async function* archive(context: ImageContext, saved: readonly SavedImage[]): AsyncGenerator<Uint8Array> {
  const { garbage } = context.ports;
  const release = await garbage.lease(saved.flatMap(({ image }) => chainIds(image.config.rootfs.diff_ids)));
  try {
    yield* archiveBytes(archiveLayout(saved), ({ chainId }) => context.ports.snapshots.layerTar(chainId));
    for (const { image } of saved) context.publish('save', image, image.id);
  } finally {
    release();
  }
}

/** The tar: no times, no owners, fixed order, so that equal images are equal archives. */
async function* archiveBytes(
  layout: ArchiveLayout,
  layerTar: (layer: LayerInfo) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (const { path, bytes } of layout.heads) yield* file(path, bytes);
  for (const name of ['blobs', 'blobs/sha256']) yield header({ name, type: 'directory', mode: 0o755, size: 0 });
  for (const { path, bytes } of layout.documents) yield* file(path, bytes);
  for (const { path, layer } of layout.layers) {
    const { diffId, tarBytes } = layer;
    yield header({ name: path, type: 'file', mode: 0o644, size: tarBytes });
    yield* verified(layerTar(layer), { digest: diffId, sizeBytes: tarBytes });
    yield padding(tarBytes);
  }
  yield endOfArchive;
}

function* file(path: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield header({ name: path, type: 'file', mode: 0o644, size: bytes.length });
  yield bytes;
  yield padding(bytes.length);
}

function header(entry: Pick<TarEntry, 'name' | 'type' | 'mode' | 'size'>): Uint8Array {
  return encodeHeader({ ...entry, uid: 0, gid: 0, mtime: 0 });
}
