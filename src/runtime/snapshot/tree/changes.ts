import { lstatSync, readlinkSync } from 'node:fs';
import { isWhiteout, readMarks, sameOwnerAndMode, sameTime, sameXattrs } from './attributes.ts';
import type { Baseline } from './baseline.ts';
import { fsPath, joinPath, parentPath } from './fs-path.ts';
import type { Found, Lowers } from './lowers.ts';
import { sameContent } from './same-content.ts';
import { isGone, type TreeItem, topItem, walkTree } from './walk.ts';

/** What a layer says of a name: it is there, it is there and hides a directory below, or it is deleted. */
export type Change = 'present' | 'opaque' | 'deleted';

export interface Changes {
  /** By path. Parents of what changed are present too. */
  readonly byPath: ReadonlyMap<string, Change>;
  /** Bytes of changed files, a file with several names counted once. */
  readonly bytes: number;
}

/**
 * Compares a tree with the layers that it was made from, as overlay would have recorded the changes in an upper: a file
 * that was replaced counts even when it is equal, one that was opened and left alone does not, a directory made anew
 * hides the one that had its name, and all names of a changed file belong to the change.
 */
export function findChanges(top: string, lowers: Lowers, baseline: Baseline): Changes {
  return new Comparison(lowers, baseline).run(top);
}

class Comparison {
  readonly #lowers: Lowers;
  readonly #baseline: Baseline;
  readonly #byPath = new Map<string, Change>();
  readonly #same = new Set(['']);
  /** Same directories whose list of names may have changed, with the names that were found. */
  readonly #names = new Map<string, Set<string>>();
  /** Files with several names, by inode. */
  readonly #linked = new Map<number, string[]>();
  readonly #counted = new Set<number>();
  #bytes = 0;

  constructor(lowers: Lowers, baseline: Baseline) {
    this.#lowers = lowers;
    this.#baseline = baseline;
  }

  run(top: string): Changes {
    if (!this.#baseline.isUntouched('', topItem(top).stat)) this.#names.set('', new Set());
    for (const item of walkTree(top, { live: true, bare: true })) {
      // Nothing in a plain tree is a mark: such a device was made by somebody who may make devices.
      if (item.whiteout) continue;
      const { path, stat } = item;
      this.#names.get(parentPath(path))?.add(path);
      if (stat.nlink > 1 && !stat.isDirectory())
        this.#linked.set(stat.ino, [...(this.#linked.get(stat.ino) ?? []), path]);
      const change = this.#look(item);
      if (change === undefined) continue;
      this.#byPath.set(path, change);
      if (stat.isFile()) this.#count(stat.ino, stat.size);
    }
    for (const [directory, found] of this.#names) this.#findDeleted(directory, found);
    for (const paths of this.#linked.values()) {
      if (paths.some((path) => this.#byPath.has(path))) for (const path of paths) this.#byPath.set(path, 'present');
    }
    for (const path of [...this.#byPath.keys()]) this.#keepParents(path);
    return { byPath: this.#byPath, bytes: this.#bytes };
  }

  #look(item: TreeItem): Change | undefined {
    const { path, stat } = item;
    if (!this.#same.has(parentPath(path))) return 'present';
    if (stat.isDirectory()) {
      if (!this.#baseline.isSameDirectory(path, stat)) return this.#lowers.find(path) ? 'opaque' : 'present';
      this.#same.add(path);
      if (this.#baseline.isUntouched(path, stat)) return undefined;
      this.#names.set(path, new Set());
    } else {
      if (this.#baseline.isUntouched(path, stat)) return undefined;
      if (this.#baseline.isNew(path, stat)) return 'present';
    }
    const before = this.#lowers.find(path);
    return before && isEqual(item, before) ? undefined : 'present';
  }

  #count(ino: number, size: number): void {
    if (this.#counted.has(ino)) return;
    this.#counted.add(ino);
    this.#bytes += size;
  }

  #findDeleted(directory: string, found: ReadonlySet<string>): void {
    for (const [name, place] of this.#lowers.entries(directory)) {
      const path = joinPath(directory, name);
      if (!found.has(path) && !isWhiteout(lstatSync(fsPath(place)))) this.#byPath.set(path, 'deleted');
    }
  }

  #keepParents(path: string): void {
    for (let parent = parentPath(path); parent !== '' && !this.#byPath.has(parent); parent = parentPath(parent)) {
      this.#byPath.set(parent, 'present');
    }
  }
}

function isEqual({ place, stat }: TreeItem, before: Found): boolean {
  if (!sameOwnerAndMode(stat, before.stat) || !sameTime(stat, before.stat)) return false;
  try {
    if (!sameXattrs(readMarks(place).xattrs, readMarks(before.path).xattrs)) return false;
    if (stat.isFile()) return stat.size === before.stat.size && sameContent(place, before.path, stat.size);
    if (stat.isSymbolicLink()) return readTarget(place).equals(readTarget(before.path));
    return stat.rdev === before.stat.rdev;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function readTarget(place: string): Buffer {
  return readlinkSync(fsPath(place), { encoding: 'buffer' });
}
