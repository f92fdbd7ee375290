import { lstatSync, rmSync } from 'node:fs';
import { copyItem, copyTop } from './copy-tree.ts';
import { clearXattrs, setAttributes, setTime } from './tree/attributes.ts';
import { fsPath } from './tree/fs-path.ts';
import type { TreeItem } from './tree/walk.ts';

/**
 * Changes the tree of a layer's parents into the layer's own. Blocks are shared where the file system can.
 * @param items the layer's directory, parents first
 * @param tree private to this: nobody writes there meanwhile
 */
export function graftLayer(layer: string, items: readonly TreeItem[], tree: string): void {
  const firstNames = new Map<string, string>();
  const directories: TreeItem[] = [];
  for (const item of items) {
    const place = `${tree}/${item.path}`;
    const existing = lstatSync(fsPath(place), { throwIfNoEntry: false });
    const stays = existing?.isDirectory() === true && !item.whiteout && item.stat.isDirectory() && !item.opaque;
    if (existing && !stays) rmSync(fsPath(place), { recursive: true });
    if (item.whiteout) continue;
    if (stays) {
      const { uid, gid, mode } = item.stat;
      clearXattrs(place);
      setAttributes(place, { uid, gid, mode, xattrs: item.xattrs });
    } else copyItem({ ...item, opaque: false }, place, firstNames);
    if (item.stat.isDirectory()) directories.push(item);
  }
  for (const { path, stat } of directories) setTime(`${tree}/${path}`, stat.mtimeMs / 1000);
  copyTop(layer, tree);
}
