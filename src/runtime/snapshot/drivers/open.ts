import { BtrfsDriver } from './btrfs.ts';
import type { DriverName, StorageDriver, StoreParts } from './driver.ts';
import { OverlayDriver } from './overlay.ts';
import { VfsDriver } from './vfs.ts';

const drivers: Readonly<Record<DriverName, new (parts: StoreParts) => StorageDriver>> = {
  overlay2: OverlayDriver,
  btrfs: BtrfsDriver,
  vfs: VfsDriver,
};

export function openDriver(name: DriverName, parts: StoreParts): StorageDriver {
  return new drivers[name](parts);
}
