import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChainId, type DiffId, sha256 } from '../../../src/oci/index.ts';
import { listXattrs, writeXattr } from '../../../src/runtime/linux/xattr.ts';
import { once, together } from '../../contract/snapshots.ts';
import { treeOfFolder, treeOfTar } from '../../support/tree.ts';
import { openTemporaryStore, type TemporaryStore } from './open.ts';
import { makeRichTree } from './rich-tree.ts';

let opened: TemporaryStore;
let base: { readonly chainId: ChainId; readonly diffId: DiffId };
let top: { readonly chainId: ChainId; readonly diffId: DiffId };
let work: string;

beforeEach(async () => {
  opened = await openTemporaryStore();
  const { store } = opened;
  work = `${opened.folder}/work`;
  mkdirSync(work);
  const first = await store.prepare('build-1', null);
  mkdirSync(`${first.path}/gone/below`, { recursive: true });
  for (const name of ['gone/file', 'hidden', 'kept']) writeFileSync(`${first.path}/${name}`, name);
  mkdirSync(`${first.path}/opaque`);
  writeFileSync(`${first.path}/opaque/old`, 'old');
  base = await store.commit(first);
  const second = await store.prepare('build-2', base.chainId);
  for (const name of ['gone', 'hidden', 'opaque']) rmSync(`${second.path}/${name}`, { recursive: true });
  mkdirSync(`${second.path}/opaque`);
  writeFileSync(`${second.path}/opaque/new`, 'new');
  makeRichTree(second.path);
  top = await store.commit(second);
});
afterEach(() => opened.close());

async function shownTree() {
  const view = await opened.store.view(top.chainId);
  const tree = treeOfFolder(view.path);
  await view.release();
  return tree;
}

describe('the tar of a layer', () => {
  it('is unpacked by GNU tar to the tree of the layer, and listed without a complaint', async () => {
    const tar = `${work}/layer.tar`;
    await pipeline(opened.store.layerTar(top.chainId), createWriteStream(tar));
    mkdirSync(`${work}/out`);
    const run = (...args: string[]) =>
      execFileSync('tar', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    run('-C', `${work}/out`, '--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', tar);
    const unpacked = treeOfFolder(`${work}/out`);
    const whiteouts = Object.keys(unpacked).filter((path) => path.includes('.wh.'));
    expect(whiteouts.sort()).toEqual(['.wh.gone', '.wh.hidden', 'opaque/.wh..wh..opq']);
    const own = Object.fromEntries(Object.entries(unpacked).filter(([path]) => !whiteouts.includes(path)));
    const { kept: _below, ...shown } = await shownTree();
    expect(own).toEqual(shown);
  });

  it('is unpacked by umoci to the tree of the layers', async () => {
    const image = `${work}/image`;
    mkdirSync(`${image}/blobs/sha256`, { recursive: true });
    const put = (bytes: Buffer, mediaType: string) => {
      const digest = sha256(bytes);
      writeFileSync(`${image}/blobs/sha256/${digest.slice(7)}`, bytes);
      return { mediaType, digest, size: bytes.length };
    };
    const oci = (kind: string) => `application/vnd.oci.image.${kind}`;
    const layers: ReturnType<typeof put>[] = [];
    for (const { chainId } of [base, top]) {
      layers.push(put(gzipSync(await together(opened.store.layerTar(chainId))), oci('layer.v1.tar+gzip')));
    }
    const json = (value: unknown) => Buffer.from(JSON.stringify(value));
    const rootfs = { type: 'layers', diff_ids: [base.diffId, top.diffId] };
    const config = put(json({ architecture: 'amd64', os: 'linux', config: {}, rootfs }), oci('config.v1+json'));
    const manifest = put(json({ schemaVersion: 2, config, layers }), oci('manifest.v1+json'));
    const annotations = { 'org.opencontainers.image.ref.name': 'test' };
    writeFileSync(`${image}/index.json`, json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
    writeFileSync(`${image}/oci-layout`, json({ imageLayoutVersion: '1.0.0' }));
    execFileSync('umoci', ['unpack', '--image', `${image}:test`, `${work}/bundle`], { stdio: 'pipe' });
    expect(treeOfFolder(`${work}/bundle/rootfs`)).toEqual(await shownTree());
  });

  it('makes the same layer and tree in another store', async () => {
    const other = await openTemporaryStore();
    try {
      let parent: ChainId | null = null;
      for (const { chainId, diffId } of [base, top]) {
        const made = await other.store.apply(parent, opened.store.layerTar(chainId), { expected: diffId });
        parent = made.chainId;
        expect(sha256(await together(other.store.layerTar(parent)))).toBe(diffId);
      }
      expect(parent).toBe(top.chainId);
      const view = await other.store.view(top.chainId);
      expect(treeOfFolder(view.path)).toEqual(await shownTree());
      await view.release();
    } finally {
      await other.close();
    }
  });
});

it('exports the tree that is shown', async () => {
  const { store } = opened;
  await store.create('c1', top.chainId);
  await pipeline(store.exportTar('c1'), createWriteStream(`${work}/export.tar`));
  expect(await treeOfTar(`${work}/export.tar`)).toEqual(await shownTree());
  await store.remove('c1');
});

it('keeps names that are not UTF-8', async () => {
  const { store } = opened;
  const name = (top: string) => Buffer.concat([Buffer.from(`${top}/latin-`), Buffer.of(0xe9)]);
  const root = await store.prepare('build-3', top.chainId);
  writeFileSync(name(root.path), 'no UTF-8');
  writeXattr(Buffer.from(name(root.path)), 'user.a', Buffer.from('b'));
  const layer = await store.commit(root);
  const tar = await together(store.layerTar(layer.chainId));
  await store.removeLayer(layer.chainId);
  const applied = await store.apply(top.chainId, once(tar), { expected: layer.diffId });
  const view = await store.view(applied.chainId);
  expect(readFileSync(name(view.path), 'utf8')).toBe('no UTF-8');
  expect(listXattrs(name(view.path))).toEqual(['user.a']);
  await view.release();
  expect((await together(store.layerTar(applied.chainId))).equals(tar)).toBe(true);
});

it.each([
  ['GNU', ['--format=gnu']],
  ['old GNU', ['--format=oldgnu']],
  ['PAX', ['--format=pax', '--xattrs', '--xattrs-include=*']],
])('reads what GNU tar writes in %s format', async (_format, options) => {
  mkdirSync(`${work}/tree`);
  makeRichTree(`${work}/tree`);
  const tar = `${work}/gnu.tar`;
  execFileSync('tar', [...options, '--numeric-owner', '-C', `${work}/tree`, '-cf', tar, '.'], { stdio: 'pipe' });
  const made = await opened.store.apply(null, createReadStream(tar));
  expect(made.diffId).toBe(sha256(readFileSync(tar)));
  const view = await opened.store.view(made.chainId);
  const withoutXattrs = (tree: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(tree).map(([path, text]) => [path, text.replace(/ (security|user)\.\S+$/, '')]));
  const [got, wanted] = [treeOfFolder(view.path), treeOfFolder(`${work}/tree`)];
  if (options.includes('--xattrs')) expect(got).toEqual(wanted);
  else expect(got).toEqual(withoutXattrs(wanted));
  expect(readdirSync(view.path)).not.toContain('socket');
  expect((await together(opened.store.layerTar(made.chainId))).equals(readFileSync(tar))).toBe(true);
  await view.release();
});
