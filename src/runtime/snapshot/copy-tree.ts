import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { pathOfFd } from '../linux/in-root.ts';
import { mknod } from '../linux/libc.ts';
import { markOpaque, setAttributes, setTime } from './tree/attributes.ts';
import { fsPath, nativePath } from './tree/fs-path.ts';
import { isGone, listTree, type TreeItem, topItem, walkTree } from './tree/walk.ts';

type MakeItem = (item: TreeItem, place: string, firstNames: Map<string, string>) => void;

/**
 * Copies a live tree into an empty directory, with all that makes it an overlay upper. Blocks are shared where the file
 * system can. @returns the copy's items, with overlay's bookkeeping of the originals, which tells what was copied up
 */
export function copyTree(from: string, to: string): TreeItem[] {
  const marks = new Map<string, readonly string[]>();
  for (const item of copyItems(walkTree(from, { live: true }), to)) marks.set(item.path, item.overlayMarks);
  copyTop(from, to);
  return listTree(to)!.map((item) => ({ ...item, overlayMarks: marks.get(item.path) ?? [] }));
}

/** Copies a committed tree into an empty directory. */
export function copyLayer(items: readonly TreeItem[], to: string): void {
  const copied = copyItems(items, to);
  while (!copied.next().done);
}

/**
 * Makes items, parents first, in an empty directory. Yields those that are there; what vanished meanwhile is not.
 * @param make makes one at its place
 */
export function* copyItems(items: Iterable<TreeItem>, to: string, make: MakeItem = copyItem): Generator<TreeItem> {
  const firstNames = new Map<string, string>();
  const times: (readonly [place: string, mtime: number])[] = [];
  for (const item of items) {
    const place = `${to}/${item.path}`;
    try {
      make(item, place, firstNames);
    } catch (error) {
      // The container goes on meanwhile and may delete what was listed.
      if (isGone(error)) continue;
      throw error;
    }
    if (item.stat.isDirectory()) times.push([place, item.stat.mtimeMs / 1000]);
    yield item;
  }
  for (const [place, mtime] of times) setTime(place, mtime);
}

/** Gives a top directory the attributes of another. */
export function copyTop(from: string, to: string): void {
  const { stat, xattrs } = topItem(from);
  setAttributes(to, { uid: stat.uid, gid: stat.gid, mode: stat.mode, xattrs });
  setTime(to, stat.mtimeMs / 1000);
}

/** Makes one item; a file that has a name in `firstNames` becomes a link to it. */
export function copyItem(item: TreeItem, place: string, firstNames: Map<string, string>): void {
  const { stat } = item;
  const target = fsPath(place);
  const key = stat.nlink > 1 && !stat.isDirectory() && !item.whiteout ? `${stat.dev}:${stat.ino}` : undefined;
  const first = key === undefined ? undefined : firstNames.get(key);
  if (first !== undefined) {
    linkSync(fsPath(first), target);
    return;
  }
  if (stat.isDirectory()) mkdirSync(target, 0o700);
  else if (stat.isFile()) copyFile(item, target);
  else if (stat.isSymbolicLink()) symlinkSync(readlinkSync(fsPath(item.place), { encoding: 'buffer' }), target);
  else mknod(nativePath(place), stat.mode, BigInt(stat.rdev));
  if (key !== undefined) firstNames.set(key, place);
  if (item.whiteout) return;
  setAttributes(place, { uid: stat.uid, gid: stat.gid, mode: stat.mode, xattrs: item.xattrs }, stat.isSymbolicLink());
  if (item.opaque) markOpaque(place);
  if (!stat.isDirectory()) setTime(place, stat.mtimeMs / 1000);
}

/** By an open descriptor: the name may lead elsewhere by now. */
function copyFile(item: TreeItem, target: string | Buffer): void {
  const fd = openSync(fsPath(item.place), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw Object.assign(new Error('no longer a file'), { code: 'ENOENT' });
    copyFileSync(pathOfFd(fd), target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  } finally {
    closeSync(fd);
  }
}
