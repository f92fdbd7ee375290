import { lstatSync } from 'node:fs';
import { copyItems } from './copy-tree.ts';
import { inheritTop } from './root-item.ts';
import type { TreeTable } from './tree/baseline.ts';
import { fsPath, joinPath } from './tree/fs-path.ts';
import type { Lowers } from './tree/lowers.ts';
import { type TreeItem, topItem } from './tree/walk.ts';

export interface PlantedTree extends Pick<TreeTable, 'directories'> {
  /** The latest on the clock of the file system, in milliseconds. */
  readonly ctimeMs: number;
}

/** The tree that a stack of layers shows, parents before children. */
export function* mergedItems(lowers: Lowers): Generator<TreeItem> {
  const pending = [''];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const [name, place] of lowers.entries(directory)) {
      const item = { ...topItem(place), path: joinPath(directory, name), opaque: false };
      if (item.whiteout) continue;
      yield item;
      if (item.stat.isDirectory()) pending.push(item.path);
    }
  }
}

/** Copies the tree that a stack of layers shows into an empty directory. Blocks are shared where the file system can. */
export function plantTree(lowers: Lowers, top: string): PlantedTree {
  const directories: string[] = [''];
  for (const item of copyItems(mergedItems(lowers), top)) if (item.stat.isDirectory()) directories.push(item.path);
  inheritTop(top, lowers.directories('')[0] ?? null);
  const inodes = directories.map((path) => [path, lstatSync(fsPath(joinPath(top, path))).ino] as const);
  return { directories: Object.fromEntries(inodes), ctimeMs: lstatSync(top).ctimeMs };
}
