import { closeSync, constants, lstatSync, openSync, type Stats } from 'node:fs';
import { pathOfFd } from '../../linux/in-root.ts';
import { fsPath, readNames } from './fs-path.ts';
import { type Budget, isGone } from './walk.ts';

const BLOCK_BYTES = 512;

/** What a tree takes on the disk. */
export interface TreeUsage {
  /** Allocated bytes of the tree, its top included, as `du --block-size=1` counts them: an inode once, no other mounts. */
  readonly bytes: number;
  /** Of those, the bytes of all but directories: what a second name of each file would not take again. */
  readonly linkedBytes: number;
  /** Inode of the first regular file: equal for trees that are linked copies of each other. Null without files. */
  readonly firstFile: number | null;
}

export function allocated(stat: Pick<Stats, 'blocks'>): number {
  return stat.blocks * BLOCK_BYTES;
}

/**
 * Measures a tree. Directories are held open while they are read, so a link that is swapped in leads nowhere, and no
 * path is too long. What vanishes meanwhile does not count. @returns undefined when the tree has more entries than the budget
 */
export function measureTree(top: string, budget?: Pick<Budget, 'entries'>): TreeUsage | undefined {
  const root = lstatSync(fsPath(top), { throwIfNoEntry: false });
  if (root === undefined) return { bytes: 0, linkedBytes: 0, firstFile: null };
  const seen = new Set<number>();
  let [bytes, linkedBytes, entries] = [allocated(root), 0, 0];
  let firstFile: number | null = null;
  let overBudget = false;

  const count = (stat: Stats) => {
    if (stat.nlink > 1 && seen.has(stat.ino)) return;
    if (stat.nlink > 1) seen.add(stat.ino);
    bytes += allocated(stat);
    linkedBytes += allocated(stat);
    if (stat.isFile()) firstFile ??= stat.ino;
  };
  const enter = (place: string) => {
    const fd = openDirectory(place);
    if (fd === undefined) return;
    try {
      const held = pathOfFd(fd);
      for (const name of readNames(held)) {
        entries += 1;
        overBudget ||= budget !== undefined && entries > budget.entries;
        if (overBudget) return;
        const child = `${held}/${name}`;
        const stat = lstatSync(fsPath(child), { throwIfNoEntry: false });
        if (stat === undefined) continue;
        if (!stat.isDirectory()) count(stat);
        // A mount point: the directory below it is empty, and cannot be seen. It is as large as a small one.
        else if (stat.dev !== root.dev) bytes += allocated(root);
        else {
          bytes += allocated(stat);
          enter(child);
        }
      }
    } finally {
      closeSync(fd);
    }
  };
  if (root.isDirectory()) enter(top);
  return overBudget ? undefined : { bytes, linkedBytes, firstFile };
}

function openDirectory(place: string): number | undefined {
  try {
    return openSync(fsPath(place), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
