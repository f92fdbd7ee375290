import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeHeader, endOfArchive, padding, readTar, type TarEntry } from '../../src/archive/index.ts';
import type { Snapshots } from '../../src/builder/ports.ts';
import type { EngineSnapshots } from '../../src/engine/ports.ts';
import { type ChainId, chainId, type DiffId, sha256 } from '../../src/oci/index.ts';

export type SnapshotStore = Snapshots & EngineSnapshots;

export interface OpenedSnapshots {
  readonly store: SnapshotStore;
  close(): Promise<void>;
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export async function together(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

/** An entry with a short text as its content. */
export type Member = Partial<TarEntry> & { readonly name: string; readonly text?: string };

export function tarOf(...members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ text = '', ...given }) => {
    const content = Buffer.from(text);
    const entry: TarEntry = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: 1, ...given, size: content.length };
    return [encodeHeader(entry), content, padding(content.length)];
  });
  return Buffer.concat([...parts, endOfArchive]);
}

export async function namesIn(tar: AsyncIterable<Uint8Array>): Promise<string[]> {
  const names: string[] = [];
  for await (const { entry } of readTar(tar)) names.push(entry.name);
  return names;
}

/** What every implementation of the snapshot ports promises. */
export function snapshotsContract(open: () => Promise<OpenedSnapshots>): void {
  let store: SnapshotStore;
  let opened: OpenedSnapshots;
  beforeEach(async () => {
    opened = await open();
    store = opened.store;
  });
  afterEach(() => opened.close());

  /** Commits a build root after `change`. */
  const layer = async (id: string, parent: ChainId | null, change: (path: string) => void, clampMtime?: number) => {
    const root = await store.prepare(id, parent);
    change(root.path);
    return store.commit(root, clampMtime === undefined ? {} : { clampMtime });
  };
  const shown = async (chain: ChainId, look: (path: string) => void) => {
    const view = await store.view(chain);
    try {
      look(view.path);
    } finally {
      await view.release();
    }
  };

  describe('build roots', () => {
    it('commit changes as layers that show through', async () => {
      const base = await layer('build-1', null, (path) => {
        mkdirSync(`${path}/etc`);
        writeFileSync(`${path}/etc/a`, 'base');
        writeFileSync(`${path}/etc/b`, 'base');
      });
      const top = await layer('build-2', base.chainId, (path) => {
        expect(readFileSync(`${path}/etc/a`, 'utf8')).toBe('base');
        rmSync(`${path}/etc/a`);
        writeFileSync(`${path}/etc/b`, 'changed');
      });
      expect(base.chainId).toBe(base.diffId);
      expect(top.chainId).toBe(chainId(base.chainId, top.diffId));
      expect([base.sizeBytes, top.sizeBytes]).toEqual([8, 7]);
      await shown(top.chainId, (path) => {
        expect(readdirSync(`${path}/etc`)).toEqual(['b']);
        expect(readFileSync(`${path}/etc/b`, 'utf8')).toBe('changed');
      });
      await shown(base.chainId, (path) => expect(readdirSync(`${path}/etc`)).toEqual(['a', 'b']));
    });

    it('can be put on another parent: the files of both show', async () => {
      const base = await layer('build-1', null, (path) => {
        mkdirSync(`${path}/opt`);
        writeFileSync(`${path}/opt/base`, 'base');
      });
      const alone = await layer('build-2', null, (path) => {
        mkdirSync(`${path}/opt`, { mode: 0o700 });
        writeFileSync(`${path}/opt/own`, 'own');
      });
      const stacked = await store.restack(alone.chainId, base.chainId);
      expect(stacked).toEqual({ ...alone, chainId: chainId(base.chainId, alone.diffId) });
      expect(await store.restack(alone.chainId, base.chainId)).toEqual(stacked);
      await shown(stacked.chainId, (path) => {
        expect(readdirSync(`${path}/opt`)).toEqual(['base', 'own']);
        expect(readFileSync(`${path}/opt/own`, 'utf8')).toBe('own');
      });
      expect(await together(store.layerTar(stacked.chainId))).toEqual(await together(store.layerTar(alone.chainId)));
      await store.removeLayer(alone.chainId);
      await shown(stacked.chainId, (path) => expect(readFileSync(`${path}/opt/own`, 'utf8')).toBe('own'));
    });

    it('commit nothing as the empty layer that everybody has', async () => {
      const empty = await layer('build-1', null, () => {});
      expect(empty.diffId).toBe('sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef');
    });

    it('give one layer for equal changes', async () => {
      const change = (path: string) => {
        writeFileSync(`${path}/f`, 'same');
        utimesSync(`${path}/f`, 1000, 1000);
      };
      const first = await layer('build-1', null, change);
      const second = await layer('build-2', null, change);
      expect(second).toEqual(first);
    });

    it('commit one chain at the same time from two roots', async () => {
      const roots = await Promise.all(['build-1', 'build-2'].map((id) => store.prepare(id, null)));
      for (const { path } of roots) {
        writeFileSync(`${path}/f`, 'same');
        utimesSync(`${path}/f`, 1000, 1000);
      }
      const [first, second] = await Promise.all(roots.map((root) => store.commit(root)));
      expect(second).toEqual(first);
      await shown(first!.chainId, (path) => expect(readFileSync(`${path}/f`, 'utf8')).toBe('same'));
    });

    it('clamp times in the stored files and in the tar alike', async () => {
      const { chainId: chain } = await layer(
        'build-1',
        null,
        (path) => {
          mkdirSync(`${path}/new`);
          writeFileSync(`${path}/new/file`, '');
          writeFileSync(`${path}/old`, '');
          utimesSync(`${path}/old`, 500, 500);
        },
        1000,
      );
      await shown(chain, (path) => {
        const times = ['new', 'new/file', 'old'].map((name) => lstatSync(`${path}/${name}`).mtimeMs / 1000);
        expect(times).toEqual([1000, 1000, 500]);
      });
      const times: Record<string, number> = {};
      for await (const { entry } of readTar(store.layerTar(chain))) times[entry.name] = entry.mtime;
      expect(times).toEqual({ new: 1000, 'new/file': 1000, old: 500 });
    });

    it('leave no trace when discarded, twice too', async () => {
      const root = await store.prepare('build-1', null);
      writeFileSync(`${root.path}/f`, '');
      await store.discard(root);
      await store.discard(root);
      expect(existsSync(root.path)).toBe(false);
      expect(await store.ids()).toEqual([]);
    });

    it('refuse an id in use and a parent that is not there', async () => {
      const root = await store.prepare('build-1', null);
      await expect(store.prepare('build-1', null)).rejects.toMatchObject({ kind: 'conflict' });
      await expect(store.prepare('build-2', sha256('none') as ChainId)).rejects.toMatchObject({ kind: 'not-found' });
      await expect(store.prepare('../out', null)).rejects.toMatchObject({ kind: 'invalid' });
      await store.discard(root);
    });

    it('leave out what was opened for writing and not changed', async () => {
      const base = await layer('build-1', null, (path) => {
        mkdirSync(`${path}/d`);
        writeFileSync(`${path}/d/f`, 'text');
      });
      const same = await layer('build-2', base.chainId, (path) => closeSync(openSync(`${path}/d/f`, 'r+')));
      expect(await namesIn(store.layerTar(same.chainId))).toEqual([]);
    });

    it('keep the mode and owner of /', async () => {
      const tar = tarOf({ name: '.', type: 'directory', mode: 0o1777, uid: 7, gid: 8 });
      const base = await store.apply(null, once(tar));
      const root = await store.prepare('build-1', base.chainId);
      expect(lstatSync(root.path)).toMatchObject({ mode: 0o041777, uid: 7, gid: 8 });
      const next = await store.commit(root);
      await shown(next.chainId, (path) => expect(lstatSync(path).mode).toBe(0o041777));
      expect(await namesIn(store.layerTar(next.chainId))).toEqual([]);
    });
  });

  describe('views', () => {
    it('are shared and may be released twice', async () => {
      const base = await layer('build-1', null, (path) => writeFileSync(`${path}/a`, ''));
      const top = await layer('build-2', base.chainId, (path) => writeFileSync(`${path}/b`, ''));
      const [one, two] = await Promise.all([store.view(top.chainId), store.view(top.chainId)]);
      await one.release();
      await one.release();
      expect(readdirSync(two.path)).toEqual(['a', 'b']);
      await expect(store.removeLayer(top.chainId)).rejects.toMatchObject({ kind: 'conflict' });
      await two.release();
      await store.removeLayer(top.chainId);
    });
  });

  describe('container roots', () => {
    it('keep their changes over unmounts', async () => {
      const base = await layer('build-1', null, (path) => writeFileSync(`${path}/a`, 'a'));
      await store.create('c1', base.chainId);
      const first = await store.mount('c1');
      writeFileSync(`${first.path}/b`, 'bb');
      expect(await store.mount('c1')).toEqual(first);
      await store.unmount('c1');
      await store.unmount('c1');
      expect(await store.ids()).toEqual(['c1']);
      expect(await store.usage('c1')).toBe(2);
      expect(readFileSync(`${(await store.mount('c1')).path}/b`, 'utf8')).toBe('bb');
      await expect(store.removeLayer(base.chainId)).rejects.toMatchObject({ kind: 'conflict' });
      await store.remove('c1');
      await store.remove('c1');
      expect(await store.ids()).toEqual([]);
    });

    it('export the merged tree, mounted or not', async () => {
      const base = await layer('build-1', null, (path) => {
        writeFileSync(`${path}/a`, '');
        writeFileSync(`${path}/b`, '');
      });
      await store.create('c1', base.chainId);
      const { path } = await store.mount('c1');
      rmSync(`${path}/a`);
      writeFileSync(`${path}/c`, '');
      expect(await namesIn(store.exportTar('c1'))).toEqual(['b', 'c']);
      await store.unmount('c1');
      expect(await namesIn(store.exportTar('c1'))).toEqual(['b', 'c']);
      await store.remove('c1');
    });

    it('are committed as copies while they go on', async () => {
      const base = await layer('build-1', null, (path) => {
        mkdirSync(`${path}/d`);
        writeFileSync(`${path}/d/gone`, '');
        writeFileSync(`${path}/d/opened`, 'text');
      });
      await store.create('c1', base.chainId);
      const { path } = await store.mount('c1');
      rmSync(`${path}/d/gone`);
      closeSync(openSync(`${path}/d/opened`, 'r+'));
      writeFileSync(`${path}/new`, 'new');
      const copy = await store.commitCopy('c1');
      writeFileSync(`${path}/new`, 'later');
      expect(await namesIn(store.layerTar(copy.chainId))).toEqual(['d', 'd/.wh.gone', 'new']);
      await shown(copy.chainId, (view) => {
        expect(readdirSync(`${view}/d`)).toEqual(['opened']);
        expect(readFileSync(`${view}/new`, 'utf8')).toBe('new');
      });
      await store.remove('c1');
    });
  });

  describe('layers from tars', () => {
    const archive = tarOf({ name: 'etc', type: 'directory', mode: 0o755 }, { name: 'etc/a', text: 'text' });

    it('have the digest of the uncompressed tar, and give its bytes back', async () => {
      // Odd on purpose: entries out of order, dots, padding behind the end.
      const odd = Buffer.concat([tarOf({ name: './b', text: 'b' }, { name: './a/x', text: 'x' }), Buffer.alloc(8192)]);
      const applied = await store.apply(null, once(gzipSync(odd)));
      expect(applied).toEqual({ diffId: sha256(odd), chainId: sha256(odd), sizeBytes: 2 });
      expect((await together(store.layerTar(applied.chainId))).equals(odd)).toBe(true);
      expect(await store.layerInfo(applied.chainId)).toEqual({ ...applied, parent: null, tarBytes: odd.length });
    });

    it('give their bytes back when entries replace each other', async () => {
      const replacing = tarOf(
        { name: 'd/f', text: 'one' },
        { name: 'd/f', text: 'two' },
        { name: 'd', type: 'symlink', linkName: 'x' },
        { name: 'd', text: 'three' },
        { name: 'd', type: 'directory' },
        { name: 'd/f', text: 'four' },
      );
      const { chainId: chain } = await store.apply(null, once(replacing));
      expect((await together(store.layerTar(chain))).equals(replacing)).toBe(true);
      await shown(chain, (path) => expect(readFileSync(`${path}/d/f`, 'utf8')).toBe('four'));
    });

    it('hide what their whiteouts name', async () => {
      const base = await store.apply(
        null,
        once(tarOf({ name: 'a', text: 'a' }, { name: 'd/x', text: 'x' }, { name: 'd/y', text: 'y' })),
      );
      const hiding = tarOf({ name: '.wh.a' }, { name: 'd/new', text: 'n' }, { name: 'd/.wh..wh..opq' });
      const top = await store.apply(base.chainId, once(hiding));
      await shown(top.chainId, (path) => {
        expect(readdirSync(path)).toEqual(['d']);
        expect(readdirSync(`${path}/d`)).toEqual(['new']);
      });
    });

    it('are refused when the digest is another, and leave nothing', async () => {
      const expected = sha256('other') as DiffId;
      await expect(store.apply(null, once(archive), { expected })).rejects.toMatchObject({ kind: 'invalid' });
      expect(await store.has(sha256(archive) as ChainId)).toBe(false);
    });

    it('stop when they are aborted', async () => {
      const abort = new AbortController();
      const source = (async function* () {
        yield archive.subarray(0, 512);
        abort.abort();
        yield archive.subarray(512);
      })();
      await expect(store.apply(null, source, { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
    });

    it('are removed when nobody needs them', async () => {
      const base = await store.apply(null, once(archive));
      const top = await store.apply(base.chainId, once(archive));
      await expect(store.removeLayer(base.chainId)).rejects.toMatchObject({ kind: 'conflict' });
      await store.removeLayer(top.chainId);
      await store.removeLayer(base.chainId);
      await store.removeLayer(base.chainId);
      expect(await store.has(base.chainId)).toBe(false);
      expect(await store.layerInfo(base.chainId)).toBeUndefined();
      await expect(store.view(base.chainId)).rejects.toMatchObject({ kind: 'not-found' });
    });
  });

  it('tells the tar of a committed layer with the digest that it is called by', async () => {
    const { chainId: chain, diffId } = await layer('build-1', null, (path) => {
      mkdirSync(`${path}/d`);
      for (let index = 0; index < 20; index += 1) writeFileSync(`${path}/d/${index}`, `${index}`.repeat(1000));
    });
    const hash = createHash('sha256').update(await together(store.layerTar(chain)));
    expect(`sha256:${hash.digest('hex')}`).toBe(diffId);
  });
}
