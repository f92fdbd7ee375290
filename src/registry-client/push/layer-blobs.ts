import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Descriptor, type DiffId, hexOf, isDigest, mediaTypes } from '../../oci/index.ts';
import type { PushCompression } from './ports.ts';

/** The compressed form under which registries know a layer. */
export interface LayerBlob {
  readonly blob: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;
  /** Where it is, as `ghcr.io/team/app`; the newest first. */
  readonly places: readonly string[];
}

/** Remembers the blobs of layers that were pulled or pushed: what a registry has is neither compressed nor sent again. */
export interface LayerBlobs {
  /** @param format which compression is wanted; absent: any, gzip first */
  get(diffId: DiffId, format?: PushCompression['format']): Promise<LayerBlob | undefined>;
  /** @param place absent for a blob that was only made yet */
  note(diffId: DiffId, blob: LayerBlob['blob'], place?: string): Promise<void>;
  /** Forgets the layers that nobody needs. `needed` is asked after a look at what is here: what is noted meanwhile stays. */
  removeUnneeded(needed: () => Promise<Iterable<DiffId>>): Promise<void>;
}

const MAX_PLACES = 8;

const NAME = /^[0-9a-f]{64}(?:\.zstd)?\.json$/;

/** One small file a layer and compression. They are hints: a lost or damaged one costs time only. What a crash left half-written goes. */
export function openLayerBlobs(folder: string): LayerBlobs {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) if (!NAME.test(name)) rmSync(join(folder, name), { force: true });
  const pathOf = (diffId: DiffId, isZstd: boolean) => join(folder, `${hexOf(diffId)}${isZstd ? '.zstd' : ''}.json`);
  let temps = 0;
  const read = async (diffId: DiffId, isZstd: boolean): Promise<LayerBlob | undefined> => {
    try {
      return parse(JSON.parse(await readFile(pathOf(diffId, isZstd), 'utf8')));
    } catch {
      return undefined;
    }
  };
  const get: LayerBlobs['get'] = async (diffId, format) => {
    if (format === 'zstd') return await read(diffId, true);
    const other = await read(diffId, false);
    if (format === undefined) return other ?? (await read(diffId, true));
    return other?.blob.mediaType === mediaTypes.ociLayerGzip ? other : undefined;
  };
  return {
    get,
    async note(diffId, { mediaType, digest, size }, place) {
      const isZstd = mediaType === mediaTypes.ociLayerZstd;
      const known = await read(diffId, isZstd);
      const before = known?.blob.digest === digest ? known.places : [];
      const places = place === undefined ? before : [place, ...before.filter((other) => other !== place)];
      const type = mediaType === mediaTypes.dockerLayer ? mediaTypes.ociLayerGzip : mediaType;
      temps += 1;
      const path = pathOf(diffId, isZstd);
      const temp = `${path}.${process.pid}-${temps}`;
      const document = { blob: { mediaType: type, digest, size }, places: places.slice(0, MAX_PLACES) };
      await writeFile(temp, JSON.stringify(document), { mode: 0o600 });
      await rename(temp, path);
    },
    async removeUnneeded(needed) {
      const present = (await readdir(folder)).filter((name) => NAME.test(name)).map((name) => join(folder, name));
      if (present.length === 0) return;
      const kept = new Set([...(await needed())].flatMap((id) => [pathOf(id, false), pathOf(id, true)]));
      await Promise.all(present.filter((path) => !kept.has(path)).map((path) => rm(path, { force: true })));
    },
  };
}

function parse(value: unknown): LayerBlob | undefined {
  const { blob, places } = (value ?? {}) as { blob?: Partial<Descriptor>; places?: unknown };
  const { mediaType, digest, size } = blob ?? {};
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest)) return undefined;
  if (typeof size !== 'number' || !Array.isArray(places)) return undefined;
  return { blob: { mediaType, digest, size }, places: places.filter((place) => typeof place === 'string') };
}
