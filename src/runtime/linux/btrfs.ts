import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { call } from '../../linux/index.ts';

/** Subvolumes of btrfs. @see linux/btrfs.h and ioctl(2) */

/** `_IOW(0x94, number, size)`. */
const request = (number: number, size: number) => 0x40000000 + (size << 16) + 0x9400 + number;
/** `struct btrfs_ioctl_vol_args`: a descriptor and a name. */
const ARGS_BYTES = 4096;
const NAME_OFFSET = 8;
const LONGEST_NAME = 255;
const SUBVOL_CREATE = request(14, ARGS_BYTES);
const SNAP_CREATE = request(1, ARGS_BYTES);
const SNAP_DESTROY = request(15, ARGS_BYTES);

/** Makes an empty subvolume. Its parent folder exists. */
export function createSubvolume(path: string): void {
  onName(SUBVOL_CREATE, path, 0);
}

/** Makes a writable subvolume with all that another has now. */
export function snapshotSubvolume(from: string, path: string): void {
  withDirectory(from, (fd) => onName(SNAP_CREATE, path, fd));
}

/** Deletes a subvolume, whatever is in it but for other subvolumes. */
export function destroySubvolume(path: string): void {
  onName(SNAP_DESTROY, path, 0);
}

function onName(operation: number, path: string, fd: number): void {
  const name = Buffer.from(basename(path));
  if (name.length > LONGEST_NAME) throw Object.assign(new Error(`ENAMETOOLONG: ${path}`), { code: 'ENAMETOOLONG' });
  const args = Buffer.alloc(ARGS_BYTES);
  args.writeBigInt64LE(BigInt(fd), 0);
  name.copy(args, NAME_OFFSET);
  withDirectory(dirname(path), (parent) => call('int ioctl(int, unsigned long, void*)', parent, operation, args));
}

function withDirectory<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
