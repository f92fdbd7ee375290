import { rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { type Digest, isDigest } from '../../oci/index.ts';
import { moveInto, syncFolder } from '../document.ts';
import { isMissing, namesIn, sweepTemps } from '../temp.ts';
import { type Ingested, ingest, type Source } from './ingest.ts';
import { blobFolder, blobPath } from './path.ts';
import { readBlob } from './read.ts';

interface WriteBlobOptions {
  /** What the content must be; when it is stored already, the source is closed without being read. */
  readonly digest?: Digest;
  readonly sizeBytes?: number;
  readonly signal?: AbortSignal;
}

/** Immutable content by digest, in the blob layout of OCI. A digest that is stored is stored whole. */
export interface ContentStore {
  /**
   * Stores content and makes it durable. A nil return means that it is stored, not that this call wrote it.
   * @throws BerthError `invalid` for another size or digest than announced; nothing is left then
   */
  write(source: Source, options?: WriteBlobOptions): Promise<Ingested>;
  has(digest: Digest): Promise<boolean>;
  stat(digest: Digest): Promise<{ readonly sizeBytes: number } | undefined>;
  /** Verified while it is read. @throws BerthError `not-found`, `internal` (damaged) */
  read(digest: Digest): AsyncIterable<Buffer>;
  /** The whole of a small blob. @throws BerthError as `read`, `invalid` when it is larger than `maxBytes` */
  readAll(digest: Digest, maxBytes: number): Promise<Buffer>;
  /** Idempotent. */
  remove(digest: Digest): Promise<void>;
  digests(): Promise<readonly Digest[]>;
  /** Removes what writers of dead processes left. @returns how many files */
  sweepTemps(): Promise<number>;
}

export function openContentStore(dataFolder: string): ContentStore {
  /** Writers of one digest share the first one's work. */
  const writing = new Map<Digest, Promise<Ingested>>();
  /** The move of a digest to its place, shared by writers who learn their digest only at the end. */
  const placing = new Map<Digest, Promise<void>>();

  const sizeOf = async (digest: Digest) => {
    try {
      return { sizeBytes: (await stat(blobPath(dataFolder, digest))).size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  const place = async (temp: string, { digest }: Ingested) => {
    if ((await sizeOf(digest)) !== undefined) return;
    const path = blobPath(dataFolder, digest);
    await shared(placing, digest, async () => {
      await moveInto(temp, path);
      await syncFolder(dirname(path));
    });
  };

  const write = async (source: Source, options: WriteBlobOptions = {}): Promise<Ingested> => {
    const { digest, signal, sizeBytes } = options;
    const expected = { ...(digest && { digest }), ...(sizeBytes !== undefined && { sizeBytes }) };
    const run = () => ingest(dataFolder, source, { expected, signal, place });
    if (digest === undefined) return run();
    const writeOnce = async (): Promise<Ingested> => {
      const stored = await sizeOf(digest);
      if (stored === undefined) return run();
      await closeUnread(source);
      return { digest, ...stored };
    };
    for (;;) {
      const other = writing.get(digest);
      // Nothing may come between looking and registering: the first to ask is the first to write.
      if (other === undefined) return shared(writing, digest, writeOnce);
      // Another writer may fail for reasons of its own (its source broke, it was aborted): then it is our turn.
      await other.catch(() => undefined);
    }
  };

  return {
    write,
    has: async (digest) => (await sizeOf(digest)) !== undefined,
    stat: sizeOf,
    read: (digest) => readBlob(dataFolder, digest),
    readAll: async (digest, maxBytes) => {
      const stored = await sizeOf(digest);
      if (stored !== undefined && stored.sizeBytes > maxBytes) {
        throw new BerthError('invalid', `content ${digest} is larger than ${maxBytes} bytes`);
      }
      const chunks: Buffer[] = [];
      for await (const chunk of readBlob(dataFolder, digest)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    remove: (digest) => rm(blobPath(dataFolder, digest), { force: true }),
    digests: async () => {
      const found: Digest[] = [];
      for (const algorithm of ['sha256', 'sha512'] as const) {
        const names = await namesIn(blobFolder(dataFolder, algorithm));
        for (const digest of names.map((hex) => `${algorithm}:${hex}`)) if (isDigest(digest)) found.push(digest);
      }
      return found;
    },
    sweepTemps: () => sweepTemps(dataFolder),
  };
}

function shared<K, V>(running: Map<K, Promise<V>>, key: K, work: () => Promise<V>): Promise<V> {
  const present = running.get(key);
  if (present !== undefined) return present;
  const promise = work().finally(() => running.delete(key));
  running.set(key, promise);
  return promise;
}

async function closeUnread(source: Source): Promise<void> {
  if (source instanceof Uint8Array) return;
  await source[Symbol.asyncIterator]().return?.();
}
