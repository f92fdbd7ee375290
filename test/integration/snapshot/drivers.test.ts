import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChainId } from '../../../src/oci/index.ts';
import { once, tarOf, together } from '../../contract/snapshots.ts';
import { btrfsDisk, type Disk } from '../../support/btrfs-disk.ts';
import { openTemporaryStore, type TemporaryStore } from './open.ts';
import { makeRichTree } from './rich-tree.ts';

/** What processes do to a tree, one after the other. Each is a layer on the one before. */
const steps: readonly (readonly [what: string, script: string])[] = [
  [
    'fill it',
    'mkdir -p d/sub e f; for i in 1 2 3 4; do echo $i >d/$i; echo $i >d/sub/$i; echo $i >e/$i; done; echo f >f/f',
  ],
  ['change, add and delete files', 'echo more >>d/1; echo new >d/5; rm d/2; rm -r d/sub'],
  ['leave what is opened alone', 'for f in d/1 e/1; do : >>$f; done; mkdir x; rmdir x; chmod 644 e/1'],
  ['rewrite a file with equal size and time', 'touch -r e/1 keep; printf "9\\n" >e/1; touch -r keep e/1; rm keep'],
  ['replace a file by an equal one', 'cp -p e/2 tmp; rm e/2; mv tmp e/2'],
  ['rename a file over another', 'mv e/3 e/4'],
  ['make two equal files', 'echo same >s1; echo same >s2'],
  ['rename one over the other', 'rm s1; mv s2 s1'],
  ['change owner, mode and attributes', 'chown 5:6 d/1; chmod 4711 d/3; chmod 700 e; setfattr -n user.x -v y e/1'],
  ['make a directory anew', 'rm -r d; mkdir d; echo other >d/1'],
  ['make a directory anew and empty', 'rm -r d; mkdir d'],
  ['rename a new directory to a free name', 'mkdir tmp; echo n >tmp/n; mv tmp g'],
  ['rename a new directory over an old one', 'rm -r g; mkdir tmp; echo m >tmp/m; mv tmp g'],
  ['rename an old directory', 'mv e h'],
  ['rename an old directory over another', 'rm -r g; mv h g'],
  ['swap kinds', 'rm -r f; echo f >f; rm g/1; mkdir g/1; ln -s ../f g/1/link; ln -s nowhere dangling'],
  ['change a link', 'rm dangling; ln -s elsewhere dangling; touch -h -d @7 g/1/link'],
  ['link files', 'echo l >l1; ln l1 l2; ln f f2'],
  ['delete one of several names', 'rm l1'],
  ['make special files', 'mknod pipe p; mknod null c 1 3; mknod loop b 7 0'],
  ['delete them', 'rm pipe null loop'],
  ['change the top', 'chmod 711 .; chown 3:4 .'],
  ['hide and show', 'rm -r g; mkdir -p g/1/2/3; touch g/1/2/3/4'],
  ['delete everything', 'rm -rf -- *'],
];
const CLAMP = 1_000_000;

describe('every driver', () => {
  let disk: Disk;
  let stores: Readonly<Record<string, TemporaryStore>>;
  beforeAll(() => {
    disk = btrfsDisk();
  });
  afterAll(() => disk?.unmount());
  beforeEach(async () => {
    stores = {
      overlay2: await openTemporaryStore(),
      erofs: await openTemporaryStore(undefined, { form: 'erofs' }),
      vfs: await openTemporaryStore(undefined, { driver: 'vfs' }),
      btrfs: await openTemporaryStore(`${disk.folder}/layers-`, { driver: 'btrfs' }),
    };
  });
  afterEach(async () => {
    for (const store of Object.values(stores)) await store.close();
  });

  /** Does the same with each driver. */
  const each = async <T>(use: (store: TemporaryStore['store'], name: string) => Promise<T>) => {
    const results: Record<string, T> = {};
    for (const [name, { store }] of Object.entries(stores)) results[name] = await use(store, name);
    return results;
  };
  const expectEqual = (results: Readonly<Record<string, unknown>>, what: string) => {
    for (const [driver, result] of Object.entries(results))
      expect(result, `${driver}: ${what}`).toEqual(results['overlay2']);
  };

  it('makes the same layer of the same change, and shows the same tree', async () => {
    const parents: Record<string, ChainId | null> = {};
    for (const [index, [what, script]] of steps.entries()) {
      const layers = await each(async (store, name) => {
        const root = await store.prepare(`build-${index}`, parents[name] ?? null);
        execFileSync('sh', ['-ec', script], { cwd: root.path });
        const layer = await store.commit(root, { clampMtime: CLAMP });
        parents[name] = layer.chainId;
        const tar = await together(store.layerTar(layer.chainId));
        const list = execFileSync('tar', ['-tvf', '-', '--full-time', '--numeric-owner'], {
          input: tar,
          encoding: 'utf8',
        });
        return { list, ...layer };
      });
      expectEqual(layers, what);
      expectEqual(await each((store, name) => shown(store, parents[name]!)), what);
    }
  });

  it('does so also for the changes of a container that goes on', async () => {
    const parents: Record<string, ChainId | null> = {};
    for (const [index, [what, script]] of steps.entries()) {
      const layers = await each(async (store, name) => {
        const id = `c${index}`;
        await store.create(id, parents[name] ?? null);
        execFileSync('sh', ['-ec', script], { cwd: (await store.mount(id)).path });
        const [usage, layer] = [await store.usage(id), await store.commitCopy(id)];
        parents[name] = layer.chainId;
        const tar = await together(store.layerTar(layer.chainId));
        const names = execFileSync('tar', ['-tf', '-'], { input: tar, encoding: 'utf8' });
        await store.remove(id);
        // An upper also has what was opened and left alone.
        if (store.driver !== 'overlay2') expect(usage, `${name}: ${what}`).toBe(layer.sizeBytes);
        return { names, sizeBytes: layer.sizeBytes };
      });
      expectEqual(layers, what);
    }
  });

  it('keeps every kind of file', async () => {
    const layers = await each(async (store) => {
      const root = await store.prepare('build-1', null);
      makeRichTree(root.path);
      const base = await store.commit(root, { clampMtime: CLAMP });
      const next = await store.prepare('build-2', base.chainId);
      const same = await store.commit(next, { clampMtime: CLAMP });
      const tree = await shown(store, same.chainId);
      return { base, same, tree };
    });
    expectEqual(layers, 'all kinds');
  });

  it('shows what the layers of others hide', async () => {
    const base = tarOf(
      { name: '.', type: 'directory', mode: 0o755 },
      { name: 'a', text: 'a' },
      { name: 'd/x', text: 'x' },
      { name: 'd/y', text: 'y' },
    );
    const hiding = tarOf({ name: '.wh.a' }, { name: 'd/new', text: 'n' }, { name: 'd/.wh..wh..opq' });
    const all = tarOf({ name: '.wh..wh..opq' }, { name: 'only', text: 'o' });
    const trees = await each(async (store) => {
      let chain: ChainId | null = null;
      const seen: string[] = [];
      for (const tar of [base, hiding, all]) {
        chain = (await store.apply(chain, once(tar))).chainId;
        seen.push(await shown(store, chain));
      }
      return seen;
    });
    expectEqual(trees, 'whiteouts');
  });
});

/** The tree of a layer as GNU tar lists it. */
async function shown(store: TemporaryStore['store'], chain: ChainId): Promise<string> {
  const view = await store.view(chain);
  const tar = ['-C', view.path, '--sort=name', '--numeric-owner', '--xattrs', '--xattrs-include=*', '-cf', '-', '.'];
  const list = execFileSync('sh', ['-c', 'tar "$@" | tar -tvf - --full-time --xattrs', 'sh', ...tar], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  await view.release();
  return list;
}
