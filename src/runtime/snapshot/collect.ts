import { renameSync } from 'node:fs';
import { copyItem, copyItems, copyTop } from './copy-tree.ts';
import { makeWhiteout } from './tree/attributes.ts';
import { type BaselineSource, openBaseline } from './tree/baseline.ts';
import { type Change, type Changes, findChanges } from './tree/changes.ts';
import { fsPath, parentPath } from './tree/fs-path.ts';
import { Lowers } from './tree/lowers.ts';
import { isGone, type TreeItem, walkTree } from './tree/walk.ts';

/** A whole tree, whose changes are found by comparing. Crosses into a worker thread. */
export interface ComparedTree {
  readonly kind: 'tree';
  readonly from: string;
  readonly baseline: BaselineSource;
  /** Files are moved: nobody needs the tree after. Only within one file system. */
  readonly move: boolean;
}

/** @param lowers the layers that the tree was made from, topmost first */
export function changesOf(
  { from, baseline }: Pick<ComparedTree, 'from' | 'baseline'>,
  lowers: readonly string[],
): Changes {
  return findChanges(from, new Lowers(lowers), openBaseline(baseline));
}

/** Fills an empty directory with the changes of a tree, in the form of an overlay upper. Others may write to the tree. */
export function collectChanges(tree: ComparedTree, lowers: readonly string[], top: string): void {
  const { byPath } = changesOf(tree, lowers);
  const items = changedItems(tree.from, byPath, top);
  const made = copyItems(items, top, tree.move ? moveItem : copyItem);
  while (!made.next().done);
  copyTop(tree.from, top);
}

/** Yields what is there of the changes, and marks as deleted, in the directories that were made of them, what is not. */
function* changedItems(from: string, byPath: ReadonlyMap<string, Change>, top: string): Generator<TreeItem> {
  const deleted = Map.groupBy(
    [...byPath.keys()].filter((path) => byPath.get(path) === 'deleted'),
    parentPath,
  );
  const hide = (directory: string) => {
    try {
      for (const path of deleted.get(directory) ?? []) makeWhiteout(`${top}/${path}`);
    } catch (error) {
      // The directory was not copied: it vanished meanwhile.
      if (!isGone(error)) throw error;
    }
  };
  hide('');
  for (const item of walkTree(from, { live: true, enters: (path) => byPath.has(path) })) {
    const change = byPath.get(item.path);
    if (change === undefined || change === 'deleted' || item.whiteout) continue;
    yield { ...item, opaque: change === 'opaque' };
    if (item.stat.isDirectory()) hide(item.path);
  }
}

function moveItem(item: TreeItem, place: string, firstNames: Map<string, string>): void {
  if (item.stat.isDirectory()) copyItem(item, place, firstNames);
  else renameSync(fsPath(item.place), fsPath(place));
}
