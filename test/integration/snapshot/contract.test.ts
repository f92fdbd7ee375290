import { afterAll, beforeAll, describe } from 'vitest';
import { snapshotsContract } from '../../contract/snapshots.ts';
import { btrfsDisk, type Disk } from '../../support/btrfs-disk.ts';
import { openTemporaryStore } from './open.ts';

describe('LayerStore with overlay2', () => {
  snapshotsContract(() => openTemporaryStore());
});

describe('LayerStore with EROFS images for lowers', () => {
  snapshotsContract(() => openTemporaryStore(undefined, { form: 'erofs' }));
});

describe('LayerStore with vfs', () => {
  snapshotsContract(() => openTemporaryStore(undefined, { driver: 'vfs' }));
});

describe('LayerStore with btrfs', () => {
  let disk: Disk;
  beforeAll(() => {
    disk = btrfsDisk();
  });
  afterAll(() => disk?.unmount());
  snapshotsContract(() => openTemporaryStore(`${disk.folder}/layers-`, { driver: 'btrfs' }));
});
