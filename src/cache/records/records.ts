import { rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChainId, type Digest, hexOf, isDigest, sha256 } from '../../oci/index.ts';
import { readDocument, replaceDocument } from '../document.ts';
import { isMissing, namesIn } from '../temp.ts';
import { Recent } from './recent.ts';
import { anySlot, type CachedStep, decodeRecord, decodeSlot } from './record.ts';

const KEPT_IN_MEMORY = 4096;
const USAGE_DELAY_MS = 2000;

/** Satisfies the builder's `StepRecords`. */
export interface Records {
  get(key: Digest): Promise<CachedStep | undefined>;
  latest(slot: string): Promise<CachedStep | undefined>;
  put(record: CachedStep): Promise<void>;
  remove(key: Digest): Promise<void>;
  /** Every record with the time (milliseconds) of its last use, as far as it was flushed. */
  all(): Promise<readonly { readonly record: CachedStep; readonly lastUsedAt: number }[]>;
  /** The layers of all records that the keep policy keeps; without one, of all. */
  chains(keep?: (record: CachedStep, lastUsedAt: number) => boolean): Promise<readonly ChainId[]>;
  /** As `all`, with the bytes that each record and the pointers to it take on the disk. */
  usage(): Promise<readonly { readonly record: CachedStep; readonly lastUsedAt: number; readonly bytes: number }[]>;
  /** Removes records by key, with the pointers to them. */
  removeAll(keys: ReadonlySet<Digest>): Promise<void>;
  /** Removes what is no use: records that cannot be read or whose layer is gone, pointers to nothing. @returns how many */
  sweep(hasLayer: (chain: ChainId) => Promise<boolean>): Promise<number>;
  /** Writes down which records were used. Also happens by itself a moment after a use. */
  flushUsage(): Promise<void>;
}

/**
 * Build-cache records: `cache/records/<key>.json`, and per slot a pointer to its newest one. Losing one is a miss, so
 * nothing here waits for the disk. The time of last use is the file's mtime, set later, off the path of a build.
 */
export function openStepRecords(dataFolder: string, clock: { now(): number } = Date): Records {
  const recordPath = (key: Digest) => join(dataFolder, 'cache', 'records', `${hexOf(key)}.json`);
  const slotPath = (slot: string) => join(dataFolder, 'cache', 'slots', `${hexOf(sha256(slot))}.json`);
  const records = new Recent<Digest, CachedStep>(KEPT_IN_MEMORY);
  const slots = new Recent<string, Digest>(KEPT_IN_MEMORY);
  const used = new Map<Digest, number>();
  let timer: NodeJS.Timeout | undefined;

  const read = async (key: Digest) => {
    const known = records.get(key);
    if (known !== undefined) return known;
    const record = decodeRecord(await readDocument(recordPath(key)), key);
    if (record !== undefined) records.set(key, record);
    return record;
  };

  const flushUsage = async () => {
    clearTimeout(timer);
    timer = undefined;
    const batch = [...used];
    used.clear();
    for (const [key, at] of batch) await utimes(recordPath(key), at / 1000, at / 1000).catch(ignoreMissing);
  };

  const noteUse = (key: Digest) => {
    used.set(key, clock.now());
    timer ??= setTimeout(() => void flushUsage().catch(() => undefined), USAGE_DELAY_MS).unref();
  };

  const removeSlots = async (isUseless: (key: Digest | undefined) => boolean) => {
    const folder = join(dataFolder, 'cache', 'slots');
    let count = 0;
    for (const name of await namesIn(folder)) {
      const path = join(folder, name);
      const pointer = anySlot(await readDocument(path));
      if (!isUseless(pointer?.key)) continue;
      if (pointer !== undefined) slots.delete(pointer.slot);
      await rm(path, { force: true });
      count += 1;
    }
    return count;
  };

  const usage = async () => {
    const folder = join(dataFolder, 'cache', 'slots');
    const pointers = new Map<Digest, number>();
    for (const name of await namesIn(folder)) {
      const pointer = anySlot(await readDocument(join(folder, name)));
      if (pointer === undefined) continue;
      pointers.set(pointer.key, (pointers.get(pointer.key) ?? 0) + (await allocatedBytes(join(folder, name))));
    }
    const found: { record: CachedStep; lastUsedAt: number; bytes: number }[] = [];
    for (const { record, lastUsedAt } of await all()) {
      const { digest } = record.key;
      const bytes = (await allocatedBytes(recordPath(digest))) + (pointers.get(digest) ?? 0);
      found.push({ record, lastUsedAt: used.get(digest) ?? lastUsedAt, bytes });
    }
    return found;
  };

  const removeOne = async (key: Digest) => {
    records.delete(key);
    used.delete(key);
    await rm(recordPath(key), { force: true });
  };

  const stored = async () => {
    const names = await namesIn(join(dataFolder, 'cache', 'records'));
    const keys = names.map((name) => `sha256:${name.replace(/\.json$/, '')}`).filter(isDigest);
    const found: CachedStep[] = [];
    for (const key of keys) {
      const record = await read(key);
      if (record !== undefined) found.push(record);
    }
    return found;
  };

  const all = async () => {
    const found: { record: CachedStep; lastUsedAt: number }[] = [];
    for (const record of await stored()) {
      const info = await stat(recordPath(record.key.digest)).catch(ignoreMissing);
      if (info) found.push({ record, lastUsedAt: info.mtimeMs });
    }
    return found;
  };

  return {
    all,
    usage,
    flushUsage,
    get: async (key) => {
      const record = await read(key);
      if (record !== undefined) noteUse(key);
      return record;
    },
    latest: async (slot) => {
      const key = slots.get(slot) ?? decodeSlot(await readDocument(slotPath(slot)), slot);
      if (key === undefined) return undefined;
      slots.set(slot, key);
      return read(key);
    },
    put: async (record) => {
      const { digest } = record.key;
      await replaceDocument(dataFolder, recordPath(digest), JSON.stringify(record), { durable: false });
      const pointer = JSON.stringify({ slot: record.slot, key: digest });
      await replaceDocument(dataFolder, slotPath(record.slot), pointer, { durable: false });
      records.set(digest, record);
      slots.set(record.slot, digest);
    },
    remove: removeOne,
    removeAll: async (keys) => {
      for (const key of keys) await removeOne(key);
      await removeSlots((key) => key === undefined || keys.has(key));
    },
    sweep: async (hasLayer) => {
      const folder = join(dataFolder, 'cache', 'records');
      const useful = new Set<Digest>();
      for (const record of await stored()) if (await hasLayer(record.layer.chainId)) useful.add(record.key.digest);
      let count = 0;
      for (const name of await namesIn(folder)) {
        const key = `sha256:${name.replace(/\.json$/, '')}`;
        if (isDigest(key) && useful.has(key)) continue;
        if (isDigest(key)) await removeOne(key);
        await rm(join(folder, name), { force: true, recursive: true });
        count += 1;
      }
      return count + (await removeSlots((key) => key === undefined || !useful.has(key)));
    },
    chains: async (keep) => {
      const kept =
        keep === undefined
          ? await stored()
          : (await all()).flatMap(({ record, lastUsedAt }) => (keep(record, lastUsedAt) ? [record] : []));
      return [...new Set(kept.map(({ layer }) => layer.chainId))];
    },
  };
}

async function allocatedBytes(path: string): Promise<number> {
  return ((await stat(path).catch(ignoreMissing))?.blocks ?? 0) * 512;
}

function ignoreMissing(error: unknown): undefined {
  if (isMissing(error)) return undefined;
  throw error;
}
