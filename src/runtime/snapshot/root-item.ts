import { lstatSync } from 'node:fs';
import { readMarks, sameXattrs, setAttributes, setTime, type Xattrs } from './tree/attributes.ts';
import { type TreeItem, topItem } from './tree/walk.ts';

interface TopAttributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly xattrs?: Xattrs | undefined;
}

/** What the top directory of a tree without a parent looks like. */
const DEFAULT_TOP: TopAttributes = { uid: 0, gid: 0, mode: 0o755 };

function topAttributes(parentTop: string | null): TopAttributes {
  if (parentTop === null) return DEFAULT_TOP;
  const { uid, gid, mode } = lstatSync(parentTop);
  return { uid, gid, mode: mode & 0o7777, xattrs: readMarks(parentTop).xattrs };
}

/** Gives a new layer's top the attributes of its parent's: overlay shows the topmost one's. */
export function inheritTop(top: string, parentTop: string | null): void {
  setAttributes(top, topAttributes(parentTop));
  if (parentTop !== null) setTime(top, lstatSync(parentTop).mtimeMs / 1000);
}

/**
 * The item of the top directory itself, when it differs from the parent's in more than its time. A time changes with
 * every file made in `/`, and other builders do not record it either.
 */
export function changedTop(top: string, parentTop: string | null): TreeItem[] {
  const item = topItem(top);
  const before = topAttributes(parentTop);
  const same =
    item.stat.uid === before.uid &&
    item.stat.gid === before.gid &&
    (item.stat.mode & 0o7777) === before.mode &&
    sameXattrs(item.xattrs, before.xattrs);
  return same ? [] : [{ ...item, opaque: false }];
}
