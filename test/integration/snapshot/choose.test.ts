import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flags, mount, umount } from '../../../src/runtime/linux/libc.ts';
import { chooseDriver, type DriverName, openLayerStore, settleDriver } from '../../../src/runtime/snapshot/index.ts';
import { once, tarOf } from '../../contract/snapshots.ts';
import { btrfsDisk } from '../../support/btrfs-disk.ts';
import { mounts } from './open.ts';

describe('the storage driver', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync('/tmp/berth-choose-');
  });
  afterEach(() => {
    for (const target of mounts(folder)) umount(target, flags.MNT_DETACH);
    rmSync(folder, { recursive: true });
  });

  /** Begins a data folder with a layer. */
  const begin = async (dataFolder: string, wanted?: DriverName) => {
    mkdirSync(dataFolder, { recursive: true });
    const { driver } = await settleDriver({ dataFolder, wanted });
    const store = await openLayerStore({ dataFolder, driver });
    return { store, layer: await store.apply(null, once(tarOf({ name: 'f' }))) };
  };

  it('is overlay2 where overlay works, and trying changes nothing', () => {
    mount('tmpfs', folder, 'tmpfs', 0, null);
    const choice = chooseDriver({ dataFolder: `${folder}/not/there/yet` });
    expect(choice).toEqual({ driver: 'overlay2', why: 'overlay works on tmpfs', fileSystem: 'tmpfs' });
    expect(mounts(folder)).toEqual([folder]);
  });

  it('is btrfs on btrfs', () => {
    const disk = btrfsDisk();
    try {
      const choice = chooseDriver({ dataFolder: disk.folder });
      expect(choice).toEqual({ driver: 'btrfs', why: 'the data folder is on btrfs', fileSystem: 'btrfs' });
    } finally {
      disk.unmount();
    }
  });

  it('is vfs on an overlay, which holds no upper, and layers that hide others are shown there', async () => {
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(`${folder}/${name}`);
    const options = `lowerdir=${folder}/lower,upperdir=${folder}/upper,workdir=${folder}/work`;
    mount('overlay', `${folder}/merged`, 'overlay', 0, options);
    const dataFolder = `${folder}/merged/data`;
    const { store, layer } = await begin(dataFolder);
    expect(store.driver).toBe('vfs');
    expect(JSON.parse(readFileSync(`${dataFolder}/storage.json`, 'utf8'))).toEqual({
      driver: 'vfs',
      why: 'overlay does not work on overlay: EINVAL',
    });
    const hiding = await store.apply(layer.chainId, once(tarOf({ name: '.wh.f' }, { name: 'g' })));
    const root = await store.prepare('build-1', hiding.chainId);
    mkdirSync(`${root.path}/d`);
    rmSync(`${root.path}/g`);
    const top = await store.commit(root);
    const view = await store.view(top.chainId);
    expect(readFileSync(`${dataFolder}/layers/${top.chainId.slice(7)}/layer.json`, 'utf8')).toContain(top.diffId);
    expect(readdirSync(view.path)).toEqual(['d']);
    await view.release();
  });

  it('is the one that was asked for', () => {
    expect(chooseDriver({ dataFolder: folder, wanted: 'vfs' })).toMatchObject({
      driver: 'vfs',
      why: 'BERTH_STORAGE_DRIVER',
    });
  });

  it('cannot be btrfs elsewhere', () => {
    expect(() => chooseDriver({ dataFolder: folder, wanted: 'btrfs' })).toThrow(
      expect.objectContaining({ kind: 'unsupported', hint: expect.stringContaining('BERTH_ROOT') }),
    );
  });

  it('stays with the data, and another is refused', async () => {
    await begin(folder, 'vfs');
    expect(chooseDriver({ dataFolder: folder })).toMatchObject({ driver: 'vfs', why: 'BERTH_STORAGE_DRIVER' });
    expect(() => chooseDriver({ dataFolder: folder, wanted: 'overlay2' })).toThrow(
      expect.objectContaining({
        kind: 'conflict',
        message: `the data in ${folder} was begun with the storage driver vfs, not overlay2`,
        hint: expect.stringMatching(/BERTH_STORAGE_DRIVER=vfs .*berth save/s),
      }),
    );
  });

  it('is free again when the data is gone', async () => {
    const { store, layer } = await begin(folder, 'vfs');
    await store.removeLayer(layer.chainId);
    expect(await settleDriver({ dataFolder: folder, wanted: 'overlay2' })).toMatchObject({ driver: 'overlay2' });
    expect(JSON.parse(readFileSync(`${folder}/storage.json`, 'utf8'))).toMatchObject({ driver: 'overlay2' });
  });

  it('is overlay2 for data from before there was a choice', async () => {
    const { store } = await begin(folder);
    expect(store.driver).toBe('overlay2');
    rmSync(`${folder}/storage.json`);
    expect(() => chooseDriver({ dataFolder: folder, wanted: 'vfs' })).toThrow('overlay2, not vfs');
  });
});
