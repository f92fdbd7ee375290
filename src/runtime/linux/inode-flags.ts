import { closeSync, constants, openSync } from 'node:fs';
import { call } from '../../linux/index.ts';

/** @see ioctl_iflags(2); linux/fs.h */
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_TOPDIR_FL = 0x00020000;

/**
 * Tells ext4 that the folders in a directory have nothing to do with each other (`chattr +T`): each then begins in a
 * block group of its own. Without that, all of them share the groups of their parent, and every new file searches past
 * the inodes that others have just been deleted from. Other file systems have no such flag, and need none.
 */
export function spreadFolders(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const flags = Buffer.alloc(8);
    call('int ioctl(int, unsigned long, void*)', fd, FS_IOC_GETFLAGS, flags);
    const known = flags.readUInt32LE(0);
    if ((known & FS_TOPDIR_FL) !== 0) return;
    flags.writeUInt32LE((known | FS_TOPDIR_FL) >>> 0, 0);
    call('int ioctl(int, unsigned long, void*)', fd, FS_IOC_SETFLAGS, flags);
  } catch {
    // It is a hint.
  } finally {
    closeSync(fd);
  }
}
