import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChainId } from '../../../src/oci/index.ts';
import { flags, mount, umount } from '../../../src/runtime/linux/libc.ts';
import type { LayerStore } from '../../../src/runtime/snapshot/index.ts';
import { openLayerStore } from '../../../src/runtime/snapshot/index.ts';
import { type Member, once, tarOf, together } from '../../contract/snapshots.ts';
import { btrfsDisk, type Disk } from '../../support/btrfs-disk.ts';
import { mounts, openTemporaryStore, type TemporaryStore } from './open.ts';

async function commit(store: LayerStore, id: string, parent: ChainId | null, name: string): Promise<ChainId> {
  const root = await store.prepare(id, parent);
  writeFileSync(`${root.path}/${name}`, name);
  return (await store.commit(root)).chainId;
}

let disk: Disk;
beforeAll(() => {
  disk = btrfsDisk();
});
afterAll(() => disk?.unmount());

describe.each([
  ['overlay2', {}],
  ['overlay2 on images', { form: 'erofs' }],
  ['vfs', { driver: 'vfs' }],
  ['btrfs', { driver: 'btrfs' }],
] as const)('recovery with %s', (name, options) => {
  let opened: TemporaryStore;
  beforeEach(async () => {
    opened = await openTemporaryStore(name === 'btrfs' ? `${disk.folder}/layers-` : undefined, options);
  });
  afterEach(() => opened.close());

  it('keeps layers and live roots, and removes the rest of a crash', async () => {
    const { store, folder } = opened;
    const base = await commit(store, 'build-1', null, 'a');
    const top = await commit(store, 'build-2', base, 'b');
    await store.create('live', top);
    writeFileSync(`${(await store.mount('live')).path}/mine`, '');
    await store.create('dead', top);
    await store.mount('dead');
    await store.prepare('build-3', top);
    await store.view(top);
    mkdirSync(`${folder}/layers/${'0'.repeat(64)}/fs`, { recursive: true });
    mkdirSync(`${folder}/roots/half/upper`, { recursive: true });
    writeFileSync(`${folder}/tmp/part`, '');
    rmSync(`${folder}/l`, { recursive: true });
    mkdirSync(`${folder}/l`);
    symlinkSync('../layers/nowhere', `${folder}/l/stray`);

    const again = await opened.reopen();
    await again.sweep({ liveIds: new Set(['live']) });
    const isOverlay = name.startsWith('overlay2');
    const kept = mounts(folder).filter((target) => !target.startsWith(`${folder}/layers/`));
    expect(kept).toEqual(isOverlay ? [`${folder}/roots/live/merged`] : []);
    expect(readdirSync(`${folder}/roots`)).toEqual(['live']);
    expect(readdirSync(`${folder}/tmp`)).toEqual([]);
    expect(readdirSync(`${folder}/views`)).toEqual([]);
    expect(readdirSync(`${folder}/layers`)).toHaveLength(2);
    expect(
      readdirSync(`${folder}/l`)
        .map((name) => readlinkSync(`${folder}/l/${name}`))
        .sort(),
    ).toEqual([base, top].map((chain) => `../layers/${chain.slice(7)}/fs`).sort());
    expect(await again.ids()).toEqual(['live']);
    expect(readdirSync((await again.mount('live')).path)).toEqual(['a', 'b', 'mine']);
    await again.remove('live');
    await commit(again, 'build-4', top, 'c');
  });

  it('forgets layers whose parent is lost', async () => {
    const { store, folder } = opened;
    const base = await commit(store, 'build-1', null, 'a');
    const top = await commit(store, 'build-2', base, 'b');
    rmSync(`${folder}/layers/${base.slice(7)}/layer.json`);
    const again = await opened.reopen();
    await again.sweep({ liveIds: new Set() });
    expect(await again.has(top)).toBe(false);
    expect(readdirSync(`${folder}/layers`)).toEqual([]);
  });
});

describe('limits', () => {
  it('mounts 125 layers, also below a long folder with separators in its name', async () => {
    const opened = await openTemporaryStore(`/tmp/berth:layers,${'x'.repeat(150)}\\-`);
    const { store } = opened;
    let chain: ChainId | null = null;
    for (let index = 0; index < 125; index += 1) chain = await commit(store, `build-${index}`, chain, `f${index}`);
    const before = process.cwd();
    const view = await store.view(chain!);
    expect(readdirSync(view.path)).toHaveLength(125);
    await view.release();
    await store.create('c1', chain);
    expect(readdirSync((await store.mount('c1')).path)).toHaveLength(125);
    await store.remove('c1');
    expect(process.cwd()).toBe(before);
    await opened.close();
  });

  it('says that there are too many', async () => {
    const opened = await openTemporaryStore();
    const { store } = opened;
    let chain: ChainId | null = null;
    for (let index = 0; index < 600; index += 1) {
      chain = (await store.apply(chain, once(tarOf({ name: `f${index}` })))).chainId;
    }
    await expect(store.view(chain!)).rejects.toMatchObject({ kind: 'invalid', hint: expect.any(String) });
    await opened.close();
  });

  it('survives a full disk', async () => {
    const folder = '/tmp/berth-small-disk';
    mkdirSync(folder, { recursive: true });
    mount('tmpfs', folder, 'tmpfs', 0, 'size=100m');
    try {
      const store = await openLayerStore({ dataFolder: `${folder}/data` });
      const small = await commit(store, 'build-1', null, 'a');
      const members = Array.from(
        { length: 120 },
        (_, index): Member => ({ name: `f${index}`, text: 'x'.repeat(1 << 20) }),
      );
      await expect(store.apply(small, once(tarOf(...members)))).rejects.toMatchObject({
        kind: expect.stringMatching(/^(exhausted|invalid)$/),
      });
      const root = await store.prepare('build-2', small);
      expect(() => writeFileSync(`${root.path}/big`, Buffer.alloc(200 << 20))).toThrow('ENOSPC');
      await store.discard(root);
      expect(readdirSync(`${folder}/data/tmp`)).toEqual([]);
      expect(readdirSync(`${folder}/data/layers`)).toHaveLength(1);
      await commit(store, 'build-3', small, 'b');
    } finally {
      umount(folder, flags.MNT_DETACH);
    }
  });

  it('says what to do where overlay cannot write', async () => {
    const opened = await openTemporaryStore();
    const root = await opened.store.prepare('build-1', null);
    const nested = await openLayerStore({ dataFolder: `${root.path}/nested` });
    await expect(nested.prepare('build-1', null)).rejects.toMatchObject({
      kind: 'unsupported',
      hint: expect.any(String),
    });
    expect(readdirSync(`${root.path}/nested/roots`)).toEqual([]);
    await opened.store.discard(root);
    await opened.close();
  });
});

describe('large trees', () => {
  it('are hashed, copied, measured and unpacked in a thread, with the same result', async () => {
    const opened = await openTemporaryStore();
    const { store, folder } = opened;
    const fill = (path: string) => {
      for (let index = 0; index < 700; index += 1) {
        if (index % 100 === 0) mkdirSync(`${path}/d${index / 100}`);
        writeFileSync(`${path}/d${Math.floor(index / 100)}/f${index}`, `${index}`.repeat(500));
      }
      execFileSync('find', [path, '-exec', 'touch', '-d', '@1000', '{}', '+']);
    };
    const root = await store.prepare('build-1', null);
    fill(root.path);
    await store.create('c1', null);
    fill((await store.mount('c1')).path);
    const [built, copied, bytes] = [await store.commit(root), await store.commitCopy('c1'), await store.usage('c1')];
    expect(copied).toEqual(built);
    expect(bytes).toBe(built.sizeBytes);
    await store.remove('c1');
    const tar = await together(store.layerTar(built.chainId));
    await store.removeLayer(built.chainId);
    const chunks = (async function* () {
      for (let at = 0; at < tar.length; at += 10_000) yield tar.subarray(at, at + 10_000);
    })();
    expect(await store.apply(null, chunks, { expected: built.diffId })).toEqual(built);
    expect((await together(store.layerTar(built.chainId))).equals(tar)).toBe(true);
    expect(existsSync(`${folder}/layers/${built.chainId.slice(7)}/layer.split`)).toBe(true);
    expect(readFileSync(`${folder}/layers/${built.chainId.slice(7)}/fs/d0/f7`, 'utf8')).toBe('7'.repeat(500));
    await opened.close();
  });
});

describe('a tree that is deeper than a path can be', () => {
  const dig = (path: string) =>
    execFileSync('python3', [
      '-c',
      'import os,sys\nos.chdir(sys.argv[1])\nfor i in range(300):\n  os.mkdir("d"*50)\n  os.chdir("d"*50)\nopen("f","w").close()',
      path,
    ]);

  it('is refused as a layer, and does not keep its root from being removed', async () => {
    const opened = await openTemporaryStore();
    const root = await opened.store.prepare('build-1', null);
    dig(root.path);
    await expect(opened.store.commit(root)).rejects.toMatchObject({ kind: 'unsupported' });
    await opened.store.discard(root);
    expect(readdirSync(`${opened.folder}/tmp`)).toEqual([]);
    await opened.close();
  });
});

it('stops unpacking at once when it is aborted, even if the source hangs', async () => {
  const opened = await openTemporaryStore();
  const abort = new AbortController();
  const source = (async function* () {
    yield tarOf({ name: 'f', text: 'x' }).subarray(0, 600);
    setImmediate(() => abort.abort());
    await new Promise<never>(() => {});
  })();
  await expect(opened.store.apply(null, source, { signal: abort.signal })).rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(readdirSync(`${opened.folder}/tmp`)).toEqual([]);
  await opened.close();
});
