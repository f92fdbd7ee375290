import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { call } from '../../linux/index.ts';

const SYS_OPENAT2 = 437;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;

/** `open(2)` flags that `node:fs` does not name. */
export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;

/**
 * Opens a path as if `root` were `/`: no symlink, `..` or race leads out of it. The caller closes the descriptor.
 * Throws as `node:fs` does (`ENOENT`, `ENOTDIR`, `ELOOP`).
 * @see openat2(2), RESOLVE_IN_ROOT; Linux 5.6
 */
export function openInRoot(root: string, path: string, flags: number, mode = 0): number {
  const rootFd = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    return openBelow(rootFd, path, flags, mode);
  } finally {
    closeSync(rootFd);
  }
}

/** As `openInRoot`, on an open root directory. */
export function openBelow(rootFd: number, path: string, flags: number, mode = 0): number {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(flags & constants.O_CREAT ? mode : 0), 8);
  how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
  const inside = path === '' ? '.' : path;
  return call('long syscall(long, int, const char*, void*, size_t)', SYS_OPENAT2, rootFd, inside, how, how.length);
}

/** The path by which an open descriptor can be used with `node:fs`; stays true when the directory is renamed. */
export function pathOfFd(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Where an open descriptor is now, relative to a root that was opened by its real path. `''` is the root itself. */
export function placeInRoot(rootFd: number, fd: number): string {
  const root = readlinkSync(pathOfFd(rootFd));
  const place = readlinkSync(pathOfFd(fd));
  return place === root ? '' : place.slice(root === '/' ? 1 : root.length + 1);
}
