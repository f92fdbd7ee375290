import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, lstatSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { readXattrs } from '../linux/xattr.ts';
import { StatCache } from './stat-cache.ts';
import type { TreeEntry } from './walk.ts';

const BLOCK_BYTES = 1 << 20;

/** What a digest is taken of: paths below a real directory that nobody can swap for a symlink meanwhile. */
export interface DigestJob {
  readonly directory: string;
  readonly entries: readonly TreeEntry[];
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Where content digests are remembered, and under which folder's name. */
  readonly statCache?: { readonly folder: string; readonly contextRoot: string; readonly prefix: string };
}

export interface EntryDigest {
  readonly path: string;
  /** Hex sha256 over the entry's metadata and content. */
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Digests of every entry, in the order given. Synchronous: meant for a worker or for few files. */
export function digestEntries(job: DigestJob): EntryDigest[] {
  const cache = job.statCache && new StatCache(job.statCache.folder, job.statCache.contextRoot);
  const scannedAtNs = BigInt(Date.now()) * 1_000_000n;
  const digests = job.entries.map((entry) => {
    const path = entry.path === '' ? job.directory : `${job.directory}/${entry.path}`;
    const stats = lstatSync(path, { bigint: true });
    const cacheKey = job.statCache ? `${job.statCache.prefix}/${entry.path}` : '';
    let content = cache?.get(cacheKey, stats);
    if (content === undefined) {
      content = contentOf(path, stats);
      cache?.set(cacheKey, stats, content, scannedAtNs);
    }
    const uid = job.owner?.uid ?? Number(stats.uid);
    const gid = job.owner?.gid ?? Number(stats.gid);
    const facts = [entry.path, entry.kind, Number(stats.mode & 0o7777n), uid, gid, content].join('\0');
    return {
      path: entry.path,
      digest: createHash('sha256').update(facts).digest('hex'),
      sizeBytes: stats.isFile() ? Number(stats.size) : 0,
    };
  });
  cache?.save();
  return digests;
}

/** Bytes, link target or device numbers, and extended attributes: everything that ctime vouches for. */
function contentOf(path: string, stats: BigIntStats): string {
  const hash = createHash('sha256');
  for (const [name, value] of countedXattrs(path)) hash.update(`${name}\0${value.length}\0`).update(value);
  hash.update(`\0${stats.isFile() ? stats.size : 0n}\0`);
  if (stats.isFile()) hashFile(path, Number(stats.size), hash);
  else if (stats.isSymbolicLink()) hash.update(readlinkSync(path));
  else if (stats.isCharacterDevice() || stats.isBlockDevice()) hash.update(`device ${stats.rdev}`);
  return hash.digest('hex');
}

function countedXattrs(path: string): [string, Uint8Array][] {
  return [...readXattrs(path)]
    .filter(([name]) => name === 'security.capability' || !/^(security|system|trusted)\./.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function hashFile(path: string, size: number, hash: ReturnType<typeof createHash>): void {
  if (size <= BLOCK_BYTES) {
    hash.update(readFileSync(path));
    return;
  }
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  const fd = openSync(path, 'r');
  try {
    for (let count = readSync(fd, block); count > 0; count = readSync(fd, block)) hash.update(block.subarray(0, count));
  } finally {
    closeSync(fd);
  }
}
