import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { flags, umount } from '../../src/runtime/linux/libc.ts';

export interface Disk {
  readonly folder: string;
  unmount(): void;
}

/** A small btrfs in a file. Fails, saying what is missing, where the machine cannot have one. */
export function btrfsDisk(): Disk {
  const scratch = mkdtempSync('/tmp/berth-btrfs-');
  const [image, folder] = [`${scratch}/disk`, `${scratch}/mnt`];
  try {
    const fd = openSync(image, 'wx');
    ftruncateSync(fd, 1 << 30);
    closeSync(fd);
    mkdirSync(folder);
    execFileSync('mkfs.btrfs', ['-q', '-m', 'single', image], { stdio: 'pipe' });
    execFileSync('mount', ['-t', 'btrfs', '-o', 'loop', image, folder], { stdio: 'pipe' });
  } catch (error) {
    rmSync(scratch, { recursive: true });
    throw new Error('no btrfs here: apt-get install btrfs-progs, and use a kernel with btrfs and loop devices', {
      cause: error,
    });
  }
  return {
    folder,
    unmount: () => {
      umount(folder, flags.MNT_DETACH);
      rmSync(scratch, { recursive: true });
    },
  };
}
