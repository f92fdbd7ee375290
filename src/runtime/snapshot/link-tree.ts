import { linkSync, mkdirSync } from 'node:fs';
import { markOpaque, setAttributes, setTime } from './tree/attributes.ts';
import { fsPath } from './tree/fs-path.ts';
import type { TreeItem } from './tree/walk.ts';

/** Makes a layer's tree anew in an empty directory: directories are made, all else has a second name there. */
export function linkTree(items: readonly TreeItem[], to: string): void {
  const directories: TreeItem[] = [];
  for (const item of items) {
    const place = `${to}/${item.path}`;
    if (item.whiteout || !item.stat.isDirectory()) {
      linkSync(fsPath(item.place), fsPath(place));
      continue;
    }
    const { uid, gid, mode } = item.stat;
    mkdirSync(fsPath(place), 0o700);
    setAttributes(place, { uid, gid, mode, xattrs: item.xattrs });
    if (item.opaque) markOpaque(place);
    directories.push(item);
  }
  for (const item of directories) setTime(`${to}/${item.path}`, item.stat.mtimeMs / 1000);
}
