import { chmodSync, lchownSync, lutimesSync, type Stats } from 'node:fs';
import { listXattrs, readXattr, removeXattr, writeXattr } from '../../linux/xattr.ts';
import { fsPath } from './fs-path.ts';

export type Xattrs = ReadonlyMap<string, Uint8Array>;

/** Marks a directory that hides what the layers below have in it. */
export const OPAQUE_XATTR = 'trusted.overlay.opaque';
const OVERLAY_PREFIX = 'trusted.overlay.';
const ORIGIN_XATTR = 'trusted.overlay.origin';
/** These would make a layer mean something else than its files say. */
const FORBIDDEN = ['trusted.overlay.redirect', 'trusted.overlay.metacopy'];

/** Attributes that belong to a layer: file capabilities and free names, not the host's labels, ACLs and overlay marks. */
export function isLayerXattr(name: string): boolean {
  if (name === 'security.capability') return true;
  return !/^(security\.|system\.|trusted\.overlay\.|user\.overlay\.)/.test(name);
}

/** What the extended attributes of a file in an overlay upper say. */
export interface Marks {
  readonly xattrs: Xattrs | undefined;
  readonly opaque: boolean;
  /** Names of overlay's bookkeeping, which mean something only in the upper of a mount. */
  readonly overlayMarks: readonly string[];
  readonly forbidden: string | undefined;
}

const NO_MARKS: Marks = { xattrs: undefined, opaque: false, overlayMarks: [], forbidden: undefined };

export function readMarks(path: string): Marks {
  const file = fsPath(path);
  const names = listXattrs(file);
  if (names.length === 0) return NO_MARKS;
  const xattrs = new Map<string, Uint8Array>();
  for (const name of [...names].sort()) {
    const value = isLayerXattr(name) ? readXattr(file, name) : undefined;
    if (value) xattrs.set(name, value);
  }
  return {
    xattrs: xattrs.size === 0 ? undefined : xattrs,
    opaque: names.includes(OPAQUE_XATTR) && Buffer.from(readXattr(file, OPAQUE_XATTR) ?? []).toString() === 'y',
    overlayMarks: names.filter((name) => name.startsWith(OVERLAY_PREFIX) && name !== OPAQUE_XATTR),
    forbidden: FORBIDDEN.find((name) => names.includes(name)),
  };
}

/** Overlay made the file by copying one of a lower up. */
export function isCopiedUp(marks: Marks): boolean {
  return marks.overlayMarks.includes(ORIGIN_XATTR);
}

export function removeMarks(path: string, marks: Marks): void {
  for (const name of marks.overlayMarks) removeXattr(fsPath(path), name);
}

export function isOpaque(path: string): boolean {
  return Buffer.from(readXattr(fsPath(path), OPAQUE_XATTR) ?? []).toString() === 'y';
}

export function markOpaque(path: string): void {
  writeXattr(fsPath(path), OPAQUE_XATTR, Buffer.from('y'));
}

/** Overlay's own whiteout: a character device 0:0. */
export function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

export interface Attributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly xattrs?: Xattrs | undefined;
}

/** Owner before mode, which a change of owner clears of setuid; xattrs last, since it clears capabilities too. */
export function setAttributes(path: string, attributes: Attributes, isSymlink = false): void {
  const file = fsPath(path);
  lchownSync(file, attributes.uid, attributes.gid);
  if (!isSymlink) chmodSync(file, attributes.mode & 0o7777);
  writeXattrs(path, attributes.xattrs);
}

/** Sets those attributes that belong to a layer. */
export function writeXattrs(path: string, xattrs: Xattrs | undefined): void {
  if (xattrs === undefined) return;
  for (const [name, value] of xattrs) {
    if (isLayerXattr(name)) writeXattr(fsPath(path), name, value);
  }
}

export function clearXattrs(path: string): void {
  const file = fsPath(path);
  for (const name of listXattrs(file)) if (isLayerXattr(name)) removeXattr(file, name);
}

/** Seconds since the epoch. Links are not followed. */
export function setTime(path: string, mtime: number): void {
  lutimesSync(fsPath(path), mtime, mtime);
}

export function sameXattrs(a: Xattrs | undefined, b: Xattrs | undefined): boolean {
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false;
  for (const [name, value] of a ?? []) {
    const other = b?.get(name);
    if (other === undefined || Buffer.compare(value, other) !== 0) return false;
  }
  return true;
}

/** Equal in owner, permissions and type. */
export function sameOwnerAndMode(a: Stats, b: Stats): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}
