import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decompress, encodeHeader, endOfArchive, padding, readTar } from '../../archive/index.ts';
import { BerthError } from '../../errors/index.ts';
import { type Descriptor, type Digest, isDigest, mediaTypes, sha256 } from '../../oci/index.ts';
import { layoutSource, layoutTarget, writeWhole } from './layout.ts';
import type { CopySource, CopyTarget } from './ports.ts';

/** The only names of members that are unpacked: nothing of an archive chooses where it is written. */
const BLOB = /^(?:\.\/)?blobs\/(sha256|sha512)\/([0-9a-f]+)$/;
const DOCUMENT = /^(?:\.\/)?(index\.json|oci-layout)$/;

export interface ArchiveImage {
  readonly file: string;
  readonly tag?: string;
  readonly digest?: Digest;
  /** Where archives are unpacked meanwhile. */
  readonly temporary: string;
}

/** Reads an image of an OCI archive: a layout in a tar, which may be compressed. */
export async function archiveSource({ file, temporary, ...image }: ArchiveImage, name: string): Promise<CopySource> {
  const folder = await mkdtemp(join(temporary, 'berth-archive-'));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    for await (const { entry, content } of readTar(decompress(opened(file, name)))) {
      if (entry.type !== 'file') continue;
      const [, algorithm, hex] = BLOB.exec(entry.name) ?? [];
      const document = DOCUMENT.exec(entry.name)?.[1];
      if (algorithm && hex && isDigest(`${algorithm}:${hex}`)) {
        await mkdir(join(folder, 'blobs', algorithm), { recursive: true });
        await writeWhole(join(folder, 'blobs', algorithm, hex), content);
      } else if (document) await writeWhole(join(folder, document), content);
    }
    return { ...layoutSource({ ...image, folder }, name), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Writes an OCI archive: the file appears when it is whole. */
export async function archiveTarget({ file, tag }: ArchiveImage, name: string): Promise<CopyTarget> {
  const folder = await mkdtemp(join(dirname(file), '.berth-archive-'));
  const target = layoutTarget({ folder, ...(tag === undefined ? {} : { tag }) }, name);
  return {
    ...target,
    async commit() {
      await target.commit();
      await writeWhole(file, tarOf(folder));
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Equal layouts give equal archives. */
async function* tarOf(folder: string): AsyncGenerator<Uint8Array> {
  const blobs = (await readdir(join(folder, 'blobs'), { recursive: true })).sort().map((path) => `blobs/${path}`);
  for (const path of ['oci-layout', 'index.json', 'blobs', ...blobs]) {
    const found = await stat(join(folder, path));
    const type = found.isDirectory() ? 'directory' : 'file';
    const size = type === 'file' ? found.size : 0;
    yield encodeHeader({ name: path, type, mode: type === 'file' ? 0o644 : 0o755, uid: 0, gid: 0, size, mtime: 0 });
    if (type === 'directory') continue;
    yield* createReadStream(join(folder, path)) as AsyncIterable<Uint8Array>;
    yield padding(size);
  }
  yield endOfArchive;
}

/**
 * Reads an image of a docker-archive. It has no manifest: one is made, of the config and the layers as they lie there.
 * @see moby image spec v1.3, "Combined Image JSON + Filesystem Changeset Format"
 */
export async function dockerArchiveSource({ file, tag, temporary }: ArchiveImage, name: string): Promise<CopySource> {
  const folder = await mkdtemp(join(temporary, 'berth-archive-'));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    const members = await unpackMembers(file, folder, name);
    const image = chooseImage(members.manifest, tag, name);
    const blobOf = (path: string, mediaType: string): Descriptor => {
      const found = members.blobs.get(path);
      if (found) return { mediaType, ...found };
      throw new BerthError('invalid', `${name}: ${path.slice(0, 200)} is not in the archive`);
    };
    const config = blobOf(image.config, mediaTypes.ociConfig);
    const layers = image.layers.map((path) => {
      const isGzip = members.compressed.has(path);
      return blobOf(path, isGzip ? mediaTypes.ociLayerGzip : mediaTypes.ociLayer);
    });
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers } as const;
    const bytes = Buffer.from(JSON.stringify(manifest));
    const digest = sha256(bytes);
    const document = { kind: 'manifest', mediaType: mediaTypes.ociManifest, manifest } as const;
    return {
      ...layoutSource({ folder }, name),
      close,
      getDocument: async () => ({ bytes, digest, document }),
      listReferrers: async () => [],
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Members {
  readonly manifest: unknown;
  readonly blobs: ReadonlyMap<string, { readonly digest: Digest; readonly size: number }>;
  readonly compressed: ReadonlySet<string>;
}

async function unpackMembers(file: string, folder: string, name: string): Promise<Members> {
  const { createHash } = await import('node:crypto');
  const { rename } = await import('node:fs/promises');
  const blobs = new Map<string, { digest: Digest; size: number }>();
  const compressed = new Set<string>();
  const links: { readonly from: string; readonly to: string }[] = [];
  let manifest: unknown;
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  for await (const { entry, content } of readTar(decompress(opened(file, name)))) {
    const path = entry.name.replace(/^\.\//, '');
    if (entry.type === 'symlink') links.push({ from: path, to: join(dirname(path), entry.linkName ?? '') });
    else if (entry.type === 'hardlink') links.push({ from: path, to: (entry.linkName ?? '').replace(/^\.\//, '') });
    if (entry.type !== 'file') continue;
    if (path === 'manifest.json') {
      manifest = parseJson(await collect(content, name), name);
      continue;
    }
    const hash = createHash('sha256');
    let head: Uint8Array | undefined;
    const hashed = (async function* () {
      for await (const chunk of content) {
        head ??= chunk;
        hash.update(chunk);
        yield chunk;
      }
    })();
    const part = join(folder, 'part');
    await writeWhole(part, hashed);
    const hex = hash.digest('hex');
    await rename(part, join(folder, 'blobs', 'sha256', hex));
    blobs.set(path, { digest: `sha256:${hex}` as Digest, size: entry.size });
    if (head?.[0] === 0x1f && head[1] === 0x8b) compressed.add(path);
  }
  // Older archives write a layer once, and links to it.
  for (const { from, to } of links) {
    const found = blobs.get(to);
    if (found) blobs.set(from, found);
    if (compressed.has(to)) compressed.add(from);
  }
  return { manifest, blobs, compressed };
}

function chooseImage(
  manifest: unknown,
  tag: string | undefined,
  name: string,
): { config: string; layers: readonly string[] } {
  const images = Array.isArray(manifest) ? (manifest as Readonly<Record<string, unknown>>[]) : [];
  const tagsOf = (image: Readonly<Record<string, unknown>>) =>
    (Array.isArray(image['RepoTags']) ? image['RepoTags'] : []).map(String);
  const all = images.flatMap(tagsOf);
  const hint = all.length === 0 ? {} : { hint: `there is ${all.slice(0, 20).join(', ')}` };
  const found = tag === undefined ? images : images.filter((image) => tagsOf(image).includes(tag));
  const [image, ...more] = found;
  if (image === undefined) throw new BerthError('not-found', `${name}: there is no such image in the archive`, hint);
  if (more.length > 0)
    throw new BerthError('invalid', `${name}: the archive holds ${found.length} images: which one?`, hint);
  const { Config: config, Layers: layers } = image;
  if (typeof config !== 'string' || !Array.isArray(layers) || !layers.every((layer) => typeof layer === 'string')) {
    throw new BerthError('invalid', `${name}: manifest.json is not one of a docker-archive`);
  }
  return { config, layers };
}

async function* opened(file: string, name: string): AsyncGenerator<Uint8Array> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.isDirectory()) throw new BerthError('not-found', `${name}: there is no such file`);
  yield* createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>;
}

const MAX_JSON = 4 * 1024 * 1024;

async function collect(content: AsyncIterable<Uint8Array>, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of content) {
    length += chunk.length;
    if (length > MAX_JSON) throw new BerthError('invalid', `${name}: manifest.json is larger than ${MAX_JSON} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new BerthError('invalid', `${name}: manifest.json is not JSON`);
  }
}
