import { chmodSync, lchownSync, lutimesSync, type Stats } from 'node:fs';
import { mknod } from '../../linux/libc.ts';
import { listXattrs, readXattr, removeXattr, writeXattr } from '../../linux/xattr.ts';
import { fsPath, nativePath } from './fs-path.ts';

export type Xattrs = ReadonlyMap<string, Uint8Array>;

/** Marks a directory that hides what the layers below have in it. */
const OPAQUE_XATTR = 'trusted.overlay.opaque';
/** The same where `trusted.overlay` belongs to an overlay that the data folder lies on: only our own driver reads it. */
const OWN_OPAQUE_XATTR = 'trusted.berth.opaque';
const S_IFCHR = 0o020000;
/** Device numbers of whiteouts: overlay's 0:0, and 0:190 where an overlay below refuses that. Major 0 has no driver. */
const WHITEOUT_DEVICES = [0, 190] as const;
const OVERLAY_PREFIX = 'trusted.overlay.';
const ORIGIN_XATTR = 'trusted.overlay.origin';
/** These would make a layer mean something else than its files say. */
const FORBIDDEN = ['trusted.overlay.redirect', 'trusted.overlay.metacopy'];

/** Attributes that belong to a layer: file capabilities and free names, not the host's labels, ACLs and overlay marks. */
export function isLayerXattr(name: string): boolean {
  if (name === 'security.capability') return true;
  return !/^(security\.|system\.|trusted\.overlay\.|trusted\.berth\.|user\.overlay\.)/.test(name);
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
    opaque: names.includes(OWN_OPAQUE_XATTR) || (names.includes(OPAQUE_XATTR) && saysYes(path)),
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
  return saysYes(path) || readXattr(fsPath(path), OWN_OPAQUE_XATTR) !== undefined;
}

function saysYes(path: string): boolean {
  return Buffer.from(readXattr(fsPath(path), OPAQUE_XATTR) ?? []).toString() === 'y';
}

export function markOpaque(path: string): void {
  const yes = Buffer.from('y');
  try {
    writeXattr(fsPath(path), OPAQUE_XATTR, yes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EOPNOTSUPP' && code !== 'ENOTSUP') throw error;
    writeXattr(fsPath(path), OWN_OPAQUE_XATTR, yes);
  }
}

export function unmarkOpaque(path: string): void {
  for (const name of [OPAQUE_XATTR, OWN_OPAQUE_XATTR]) removeXattr(fsPath(path), name);
}

/** The mark that a name of the layers below is deleted. */
export function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && isWhiteoutDevice(stat.rdev);
}

export function isWhiteoutDevice(device: number | bigint): boolean {
  return WHITEOUT_DEVICES.some((known) => known === Number(device));
}

/** The name must be free. */
export function makeWhiteout(path: string): void {
  const [common, own] = WHITEOUT_DEVICES;
  try {
    mknod(nativePath(path), S_IFCHR, BigInt(common));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    mknod(nativePath(path), S_IFCHR, BigInt(own));
  }
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

/** Copies have their times rounded to what a double can hold. */
export function sameTime(a: Stats, b: Stats): boolean {
  return Math.abs(a.mtimeMs - b.mtimeMs) < 0.002;
}
