import { rmdirSync, unlinkSync } from 'node:fs';
import { isCopiedUp, readMarks, sameOwnerAndMode, sameTime, sameXattrs, setTime } from './tree/attributes.ts';
import { fsPath, parentPath } from './tree/fs-path.ts';
import type { Lowers } from './tree/lowers.ts';
import { sameContent } from './tree/same-content.ts';
import type { TreeItem } from './tree/walk.ts';

/** Larger files are kept without a look at their content. */
const MAX_COMPARED_BYTES = 16 << 20;

/**
 * Deletes from an upper what overlay copied up and nobody changed after: files opened for writing and left alone,
 * and directories that are empty without them. @returns the items that stay
 */
export function pruneUnchanged(items: readonly TreeItem[], lowers: Lowers): readonly TreeItem[] {
  if (lowers.isEmpty || !items.some(isCopiedUp)) return items;
  const directories = new Map(items.filter(({ stat }) => stat.isDirectory()).map((item) => [item.path, item]));
  const children = new Map<string, number>();
  for (const { path } of items) children.set(parentPath(path), (children.get(parentPath(path)) ?? 0) + 1);
  const removed = new Set<TreeItem>();
  const touched = new Set<string>();
  // Backwards: what a directory holds is decided before the directory itself.
  for (const item of [...items].reverse()) {
    if (!isCopiedUp(item) || !isUnchanged(item, lowers, children.get(item.path) ?? 0)) continue;
    const file = fsPath(item.place);
    if (item.stat.isDirectory()) rmdirSync(file);
    else unlinkSync(file);
    removed.add(item);
    touched.delete(item.path);
    const parent = parentPath(item.path);
    children.set(parent, children.get(parent)! - 1);
    touched.add(parent);
  }
  for (const path of touched) {
    const directory = directories.get(path);
    if (directory) setTime(directory.place, directory.stat.mtimeMs / 1000);
  }
  return removed.size === 0 ? items : items.filter((item) => !removed.has(item));
}

function isUnchanged(item: TreeItem, lowers: Lowers, children: number): boolean {
  const { stat } = item;
  const isFile = stat.isFile() && stat.nlink === 1 && stat.size <= MAX_COMPARED_BYTES;
  const isLeftDirectory = stat.isDirectory() && children === 0 && !item.opaque;
  if (!isFile && !isLeftDirectory) return false;
  const lower = lowers.find(item.path);
  if (lower === undefined || !sameOwnerAndMode(stat, lower.stat) || !sameTime(stat, lower.stat)) return false;
  if (!sameXattrs(item.xattrs, readMarks(lower.path).xattrs)) return false;
  if (isLeftDirectory) return true;
  return stat.size === lower.stat.size && sameContent(item.place, lower.path, stat.size);
}
