import { closeSync, constants, lstatSync, openSync, type Stats } from 'node:fs';
import { BerthError } from '../../../errors/index.ts';
import { pathOfFd } from '../../linux/in-root.ts';
import { isWhiteout, type Marks, readMarks } from './attributes.ts';
import { fsPath, joinPath, readNames } from './fs-path.ts';

/** One file of a layer's or root's tree. */
export interface TreeItem extends Marks {
  /** Relative to the top; `''` is the top itself. */
  readonly path: string;
  /** Where the file can be reached. In a live walk only until the next item is asked for. */
  readonly place: string;
  readonly stat: Stats;
  /** Overlay's mark that the name is deleted. */
  readonly whiteout: boolean;
}

const UNREAD = { xattrs: undefined, opaque: false, overlayMarks: [], forbidden: undefined } as const;
const WHITEOUT = { whiteout: true, ...UNREAD } as const;

/** The top directory itself. */
export function topItem(top: string): TreeItem {
  return readItem('', top)!;
}

function readItem(path: string, place: string, bare = false): TreeItem | undefined {
  try {
    const stat = lstatSync(fsPath(place), { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (isWhiteout(stat)) return { path, place, stat, ...WHITEOUT };
    return { path, place, stat, whiteout: false, ...(bare ? UNREAD : readMarks(place)) };
  } catch (error) {
    if (isGone(error)) return undefined;
    if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG') throw error;
    throw new BerthError('unsupported', `no layer can hold a path as long as ${path.slice(0, 100)}...`);
  }
}

export interface WalkOptions {
  /**
   * Others write to the tree meanwhile, and they are not to be trusted: a directory that they swap for a link must not
   * lead the walk out. Every directory is then held open and reached by its descriptor.
   */
  readonly live?: boolean;
  /** Extended attributes are not read. */
  readonly bare?: boolean;
  /** What lies below a directory for which this is false is left out. */
  readonly enters?: (path: string) => boolean;
}

interface Level {
  readonly path: string;
  readonly place: string;
  readonly fd: number | undefined;
  readonly names: readonly string[];
  next: number;
}

/** Everything below `top`, parents before children, names sorted. Sockets are left out, and what vanishes meanwhile. */
export function* walkTree(top: string, options: WalkOptions = {}): Generator<TreeItem> {
  const levels: Level[] = [{ path: '', place: top, fd: undefined, names: readNames(top), next: 0 }];
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.names[level.next++];
      if (name === undefined) {
        if (level.fd !== undefined) closeSync(level.fd);
        levels.pop();
        continue;
      }
      const item = readItem(joinPath(level.path, name), `${level.place}/${name}`, options.bare);
      if (item === undefined || item.stat.isSocket()) continue;
      if (item.forbidden !== undefined) {
        throw new BerthError(
          'unsupported',
          `${item.path} has the overlay mark ${item.forbidden}: no layer can hold it`,
        );
      }
      yield item;
      const enters = item.stat.isDirectory() && (options.enters?.(item.path) ?? true);
      const below = enters ? enter(item, options.live ?? false) : undefined;
      if (below) levels.push(below);
    }
  } finally {
    for (const { fd } of levels) if (fd !== undefined) closeSync(fd);
  }
}

function enter({ path, place }: TreeItem, live: boolean): Level | undefined {
  if (!live) return { path, place, fd: undefined, names: readNames(place), next: 0 };
  let fd: number | undefined;
  try {
    fd = openSync(fsPath(place), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    const held = pathOfFd(fd);
    return { path, place: held, fd, names: readNames(held), next: 0 };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** What was there a moment ago is not, or is something else. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
}

export interface Budget {
  readonly entries: number;
  readonly bytes: number;
}

/** What is in a root that somebody sees means what it is there, also what would be a mark in a layer. */
export function* withoutMarks(items: Iterable<TreeItem>): Generator<TreeItem> {
  for (const item of items) if (!item.whiteout) yield { ...item, opaque: false };
}

/** More than a budget allows. Reads no further than it must. */
export function isOver(items: Iterable<TreeItem>, budget: Budget | undefined): boolean {
  let [entries, bytes] = [0, 0];
  if (budget === undefined) return false;
  for (const { stat } of items) {
    entries += 1;
    if (stat.isFile()) bytes += stat.size;
    if (entries > budget.entries || bytes > budget.bytes) return true;
  }
  return false;
}

/** The whole walk as a list; undefined when it is larger than the budget. */
export function listTree(top: string, budget?: Budget, options?: WalkOptions): TreeItem[] | undefined {
  const items: TreeItem[] = [];
  let bytes = 0;
  for (const item of walkTree(top, options)) {
    items.push(item);
    if (item.stat.isFile()) bytes += item.stat.size;
    if (budget && (items.length > budget.entries || bytes > budget.bytes)) return undefined;
  }
  return items;
}

/** Bytes of file content, a file with several names counted once. */
export function contentBytes(items: Iterable<TreeItem>): number {
  const seen = new Set<string>();
  let bytes = 0;
  for (const { stat } of items) {
    if (!stat.isFile()) continue;
    if (stat.nlink > 1) {
      const key = `${stat.dev}:${stat.ino}`;
      if (seen.has(key)) continue;
      seen.add(key);
    }
    bytes += stat.size;
  }
  return bytes;
}
