import {
  type BigIntStats,
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { BerthError } from '../../errors/index.ts';
import { mknod } from '../linux/libc.ts';
import { readXattrs, writeXattr } from '../linux/xattr.ts';
import type { TreeEntry } from './walk.ts';

/** Copies entries of one real directory into another. */
export interface CopyJob {
  readonly from: string;
  readonly to: string;
  /** Parents before children; `''` is the directory itself. */
  readonly entries: readonly TreeEntry[];
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly chmod?: number | ((mode: number, isDirectory: boolean) => number);
}

/**
 * Copies with modes, times, extended attributes, hard links and devices; never follows a link in the destination.
 * Directories that exist there keep their metadata. Synchronous: meant for a worker or for few files.
 */
export function copyEntries(job: CopyJob): void {
  const links = new Map<string, string>();
  const newDirectories: { path: string; stats: BigIntStats }[] = [];
  for (const entry of job.entries) {
    const source = entry.path === '' ? job.from : `${job.from}/${entry.path}`;
    const target = entry.path === '' ? job.to : `${job.to}/${entry.path}`;
    const stats = lstatSync(source, { bigint: true });
    if (stats.isSocket()) continue;
    if (stats.isDirectory()) {
      if (!makeDirectoryAt(target)) continue;
      setAttributes(job, source, target, stats);
      newDirectories.push({ path: target, stats });
      continue;
    }
    clear(target, entry.path);
    const inode = stats.nlink > 1n ? `${stats.dev}:${stats.ino}` : undefined;
    const first = inode && links.get(inode);
    if (first) {
      linkSync(first, target);
      continue;
    }
    makeLeaf(source, target, stats);
    setAttributes(job, source, target, stats);
    setTimes(target, stats);
    if (inode) links.set(inode, target);
  }
  for (const { path, stats } of newDirectories.reverse()) setTimes(path, stats);
}

/** False when the directory was there already. */
function makeDirectoryAt(target: string): boolean {
  const existing = lstatSync(target, { throwIfNoEntry: false });
  if (existing?.isDirectory()) return false;
  if (existing) {
    throw new BerthError(
      'invalid',
      `cannot copy a directory onto ${target.split('/').at(-1)}, which is not a directory`,
    );
  }
  mkdirSync(target, 0o700);
  return true;
}

function clear(target: string, name: string): void {
  const existing = lstatSync(target, { throwIfNoEntry: false });
  if (!existing) return;
  if (existing.isDirectory()) {
    throw new BerthError(
      'invalid',
      `cannot copy a file onto the directory ${name === '' ? target.split('/').at(-1) : name}`,
    );
  }
  rmSync(target);
}

function makeLeaf(source: string, target: string, stats: BigIntStats): void {
  if (stats.isSymbolicLink()) symlinkSync(readlinkSync(source, 'buffer'), target);
  else if (stats.isFile()) copyFileSync(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  else mknod(target, Number(stats.mode), stats.rdev);
}

function setAttributes(job: CopyJob, source: string, target: string, stats: BigIntStats): void {
  lchownSync(target, job.owner?.uid ?? Number(stats.uid), job.owner?.gid ?? Number(stats.gid));
  if (!stats.isSymbolicLink()) {
    const mode = Number(stats.mode & 0o7777n);
    const { chmod } = job;
    // After chown, which clears setuid and setgid.
    chmodSync(target, typeof chmod === 'function' ? chmod(mode, stats.isDirectory()) : (chmod ?? mode));
  }
  for (const [name, value] of readXattrs(source)) {
    if (name === 'security.capability' || name.startsWith('user.')) writeXattr(target, name, value);
  }
}

function setTimes(target: string, stats: BigIntStats): void {
  const mtime = Number(stats.mtimeNs) / 1e9;
  lutimesSync(target, mtime, mtime);
}
