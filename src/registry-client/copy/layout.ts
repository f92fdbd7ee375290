import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { algorithmOf, type Descriptor, type Digest, hexOf, type Index, mediaTypes } from '../../oci/index.ts';
import { readBlob } from '../blob.ts';
import { MAX_MANIFEST_BYTES, parseDocument } from '../documents/parse.ts';
import { subjectOf } from '../documents/referrers.ts';
import { defaultRetry } from '../http/retry.ts';
import type { FetchedDocument } from '../resolve.ts';
import type { CopySource, CopyTarget } from './ports.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';
const MARKER = '{"imageLayoutVersion":"1.0.0"}';

/** An image of an OCI layout: by its name, by its digest, or the only one. */
export interface LayoutImage {
  readonly folder: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** @see image-spec image-layout.md */
export function layoutSource(image: LayoutImage, name: string): CopySource {
  const { folder } = image;
  const read = async (digest: Digest, mediaType: string | undefined): Promise<FetchedDocument> => {
    const bytes = await readSmall(pathOf(folder, digest), name);
    if (digestOf(bytes, digest) !== digest)
      throw new BerthError('invalid', `${name}: ${digest} does not match its content`);
    return { bytes, digest, document: parseDocument(bytes, mediaType, name) };
  };
  return {
    name,
    // What lies in files is there, whatever it is called.
    allowsForeignLayers: false,
    async getDocument(digest) {
      if (digest !== undefined) return await read(digest, undefined);
      const entry = await chooseEntry(image, name, read);
      return await read(entry.digest, entry.mediaType);
    },
    openBlob: (blob, options) =>
      readBlob(
        blob,
        async (offset) =>
          fileAnswer(createReadStream(await existing(pathOf(folder, blob.digest), name), { start: offset }), offset),
        { ...defaultRetry, attempts: 1 },
        options,
      ),
    async listReferrers(digest) {
      const { manifests } = await readIndex(folder, name);
      const found = await Promise.all(
        manifests.map(async (entry) => {
          const { document } = await read(entry.digest, entry.mediaType);
          return subjectOf(document)?.digest === digest ? [entry] : [];
        }),
      );
      return found.flat();
    },
    close: async () => {},
  };
}

/** Writes into a layout, new or old. Blobs appear when they are whole and right, the index changes last. */
export function layoutTarget({ folder, tag }: LayoutImage, name: string): CopyTarget {
  const listed: Descriptor[] = [];
  let top: Descriptor | undefined;
  const has = async ({ digest, size }: Pick<Descriptor, 'digest' | 'size'>) =>
    await stat(pathOf(folder, digest)).then(
      (found) => found.size === size,
      () => false,
    );
  return {
    name,
    // Looking at each blob costs nothing here.
    hasDocument: async () => false,
    async putBlob(blob, source, { onProgress, signal }) {
      if (await has(blob)) return 'present';
      await writeBlob(folder, blob.digest, counted(source.openBlob(blob, { signal }), onProgress));
      return 'uploaded';
    },
    async putDocument({ bytes, digest, document }, { isTop }) {
      const entry: Descriptor = { mediaType: document.mediaType, digest, size: bytes.length };
      if (!(await has(entry))) await writeBlob(folder, digest, [bytes]);
      if (isTop) top = entry;
      else if (subjectOf(document)) listed.push(entry);
    },
    async commit() {
      if (top === undefined) return;
      await writeWhole(join(folder, 'oci-layout'), MARKER);
      const before = await readIndex(folder, name).catch(() => ({ schemaVersion: 2, manifests: [] }) satisfies Index);
      const named: Descriptor = tag === undefined ? top : { ...top, annotations: { [REF_NAME]: tag } };
      const added = [named, ...listed];
      const kept = before.manifests.filter((entry) => {
        const entryTag = entry.annotations?.[REF_NAME];
        return entryTag === undefined ? !added.some(({ digest }) => digest === entry.digest) : entryTag !== tag;
      });
      const index = { ...before, schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...kept, ...added] };
      await writeWhole(join(folder, 'index.json'), JSON.stringify(index));
    },
    close: async () => {},
  };
}

async function chooseEntry(
  { folder, tag, digest }: LayoutImage,
  name: string,
  read: (digest: Digest, mediaType: string) => Promise<FetchedDocument>,
): Promise<Descriptor> {
  const { manifests } = await readIndex(folder, name);
  const names = manifests.flatMap(({ annotations }) => annotations?.[REF_NAME] ?? []);
  const hint = names.length === 0 ? {} : { hint: `there is ${names.slice(0, 20).join(', ')}` };
  if (tag !== undefined || digest !== undefined) {
    const found = manifests.find((entry) =>
      tag === undefined ? entry.digest === digest : entry.annotations?.[REF_NAME] === tag,
    );
    if (found) return found;
    throw new BerthError('not-found', `${name}: there is no such image in the layout`, hint);
  }
  const images: Descriptor[] = [];
  for (const entry of manifests) {
    if (subjectOf((await read(entry.digest, entry.mediaType)).document) === undefined) images.push(entry);
  }
  const [only, ...more] = images;
  if (only === undefined) throw new BerthError('not-found', `${name}: the layout holds no image`);
  if (more.length > 0)
    throw new BerthError('invalid', `${name}: the layout holds ${images.length} images: which one?`, hint);
  return only;
}

async function readIndex(folder: string, name: string): Promise<Index> {
  const bytes = await readSmall(join(folder, 'index.json'), name);
  const document = parseDocument(bytes, mediaTypes.ociIndex, name);
  if (document.kind !== 'index') throw new BerthError('invalid', `${name}: index.json is no index`);
  return document.index;
}

async function readSmall(path: string, name: string): Promise<Buffer> {
  const { size } = await stat(await existing(path, name));
  if (size > MAX_MANIFEST_BYTES)
    throw new BerthError('invalid', `${name}: a manifest is larger than ${MAX_MANIFEST_BYTES} bytes`);
  return await readFile(path);
}

async function existing(path: string, name: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile()) return path;
  throw new BerthError('not-found', `${name}: ${path.split('/').slice(-3).join('/')} is not there`, {
    hint: 'is this an OCI layout? It has the files oci-layout and index.json',
  });
}

function pathOf(folder: string, digest: Digest): string {
  return join(folder, 'blobs', algorithmOf(digest), hexOf(digest));
}

function digestOf(bytes: Uint8Array, like: Digest): string {
  return `${algorithmOf(like)}:${createHash(algorithmOf(like)).update(bytes).digest('hex')}`;
}

/** A file, in the shape in which blobs come from registries. */
function fileAnswer(
  stream: NodeJS.ReadableStream,
  offset: number,
): Awaited<ReturnType<Parameters<typeof readBlob>[1]>> {
  return {
    status: offset > 0 ? 206 : 200,
    url: new URL('file:///'),
    header: (field) => (field === 'content-range' ? `bytes ${offset}-` : undefined),
    body: stream as AsyncIterable<Uint8Array>,
    read: () => Promise.reject(new Error('files are streamed')),
    discard: () => {},
  };
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onProgress: (sent: number) => void,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of chunks) {
    yield chunk;
    sent += chunk.length;
    onProgress(sent);
  }
}

async function writeBlob(
  folder: string,
  digest: Digest,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const path = pathOf(folder, digest);
  await mkdir(join(path, '..'), { recursive: true });
  const hash = createHash(algorithmOf(digest));
  await writeWhole(
    path,
    (async function* () {
      for await (const chunk of content) {
        hash.update(chunk);
        yield chunk;
      }
      const found = `${algorithmOf(digest)}:${hash.digest('hex')}`;
      if (found !== digest) throw new BerthError('invalid', `blob ${digest} does not match its digest: found ${found}`);
    })(),
  );
}

/** The file is there whole, or not at all. */
export async function writeWhole(path: string, content: string | AsyncIterable<Uint8Array>): Promise<void> {
  const temp = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temp, 'wx', 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temp, path);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
}
