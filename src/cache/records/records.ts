import { rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChainId, type Digest, hexOf, isDigest, sha256 } from '../../oci/index.ts';
import { readDocument, replaceDocument } from '../document.ts';
import { isMissing, namesIn } from '../temp.ts';
import { Recent } from './recent.ts';
import { type CachedStep, decodeRecord, decodeSlot } from './record.ts';

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
    remove: async (key) => {
      records.delete(key);
      used.delete(key);
      await rm(recordPath(key), { force: true });
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

function ignoreMissing(error: unknown): undefined {
  if (isMissing(error)) return undefined;
  throw error;
}
