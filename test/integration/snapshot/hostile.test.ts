import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeHeader, type TarEntry } from '../../../src/archive/index.ts';
import type { ChainId } from '../../../src/oci/index.ts';
import { listXattrs, writeXattr } from '../../../src/runtime/linux/xattr.ts';
import { openLayerStore } from '../../../src/runtime/snapshot/index.ts';
import { packTree } from '../../../src/runtime/snapshot/tree/pack.ts';
import { walkTree } from '../../../src/runtime/snapshot/tree/walk.ts';
import { type Member, once, tarOf } from '../../contract/snapshots.ts';
import { openTemporaryStore, type TemporaryStore } from './open.ts';

let opened: TemporaryStore;
let canary: string;
beforeEach(async () => {
  opened = await openTemporaryStore();
  canary = `${opened.folder}/canary`;
  mkdirSync(canary);
  writeFileSync(`${canary}/file`, 'untouched');
});
afterEach(async () => {
  expect(readdirSync(canary)).toEqual(['file']);
  expect(readFileSync(`${canary}/file`, 'utf8')).toBe('untouched');
  expect(readdirSync(`${opened.folder}/tmp`)).toEqual([]);
  await opened.close();
});

const apply = (parent: ChainId | null, ...entries: readonly Member[]) =>
  opened.store.apply(parent, once(tarOf(...entries)));
const link = (name: string, linkName: string): Member => ({ name, type: 'symlink', linkName });
const hard = (name: string, linkName: string): Member => ({ name, type: 'hardlink', linkName });
const directory = (name: string): Member => ({ name, type: 'directory', mode: 0o755 });
const topOf = (chain: string) => `${opened.folder}/layers/${chain.slice(7)}/fs`;

describe('a hostile layer', () => {
  it.each<[string, ...Member[]]>([
    ['a name with ..', { name: '../canary/file', text: 'x' }],
    ['a name with .. inside', { name: 'a/../../canary/file', text: 'x' }],
    ['a file through a symlink of the layer', link('d', '/'), { name: 'd/x', text: 'x' }],
    ['a file through a relative symlink', link('d', '../../..'), { name: 'd/canary/file', text: 'x' }],
    ['a file through a symlink two levels up', directory('a'), link('a/b', '/tmp'), { name: 'a/b/c/d', text: 'x' }],
    ['a directory through a symlink', link('d', '/tmp'), directory('d/x')],
    ['a file below a file', { name: 'a', text: 'x' }, { name: 'a/b', text: 'x' }],
    ['a hard link to outside', hard('h', '../../../canary/file')],
    ['a hard link through a symlink', link('d', '/'), hard('h', 'd/etc/passwd')],
    ['a hard link to what is not in the layer', hard('h', '/etc/passwd')],
    ['a hard link to a directory', directory('d'), hard('h', 'd')],
    ['a hard link to itself', { name: 'h', text: 'x' }, hard('h', 'h')],
    ['a forged whiteout', { name: 'a', type: 'character-device', major: 0, minor: 0 }],
    ['a whiteout of nothing', { name: '.wh.' }],
    ['a whiteout of .', { name: '.wh..' }],
    ['a whiteout of ..', { name: 'd/.wh...' }],
    ['a whiteout that is a directory', { name: '.wh./etc' }],
    ['a whiteout in the middle of a path', { name: '.wh.a/b' }],
    ['a whiteout with content', { name: '.wh.a', text: 'x' }],
    ['an opaque marker on a symlink', link('d', '/tmp'), { name: 'd/.wh..wh..opq' }],
    ['a top that is no directory', link('.', '/tmp')],
    ['a component of 300 bytes', { name: 'n'.repeat(300) }],
    ['a path of 5000 bytes', { name: 'nn/'.repeat(1700) }],
  ])('with %s is refused by the name of its entry', async (_what, ...entries) => {
    const base = await apply(null, { name: 'a', text: '' }, directory('d'));
    await expect(apply(base.chainId, ...entries)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/^layer entry "/),
    });
  });

  it('cannot write through a symlink of a lower layer', async () => {
    const base = await apply(null, link('d', canary));
    const top = await apply(base.chainId, { name: 'd/file', text: 'x' });
    const view = await opened.store.view(top.chainId);
    expect(readFileSync(`${view.path}/d/file`, 'utf8')).toBe('x');
    await view.release();
  });

  it('cannot write through a hard link that it replaces', async () => {
    const { chainId } = await apply(null, { name: 'a', text: 'first' }, hard('b', 'a'), { name: 'b', text: 'second' });
    expect(readFileSync(`${topOf(chainId)}/a`, 'utf8')).toBe('first');
    expect(readFileSync(`${topOf(chainId)}/b`, 'utf8')).toBe('second');
  });

  it('cannot have a symlink followed when it is replaced by a directory', async () => {
    const { chainId } = await apply(null, link('d', canary), directory('d'), { name: 'd/file', text: 'x' });
    expect(readFileSync(`${topOf(chainId)}/d/file`, 'utf8')).toBe('x');
  });

  it('has absolute names taken as below its top', async () => {
    const { chainId } = await apply(null, { name: '/etc//./passwd', text: 'x' });
    expect(readFileSync(`${topOf(chainId)}/etc/passwd`, 'utf8')).toBe('x');
  });

  it('loses overlay marks and host labels, and keeps capabilities', async () => {
    const marks = ['trusted.overlay.redirect', 'trusted.overlay.opaque', 'user.overlay.opaque', 'security.selinux'];
    const kept = ['security.capability', 'user.mine'];
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const xattrs = new Map(
      [...marks, ...kept].map((name) => [name, name.endsWith('capability') ? capability : Buffer.from('y')]),
    );
    const { chainId } = await apply(null, { name: 'f', xattrs }, { name: 'd', type: 'directory', xattrs });
    for (const name of ['f', 'd']) expect([...listXattrs(`${topOf(chainId)}/${name}`)].sort()).toEqual(kept);
  });

  it('keeps setuid and devices as they are', async () => {
    const { chainId } = await apply(
      null,
      { name: 'su', mode: 0o4755, uid: 1, gid: 2 },
      { name: 'null', type: 'character-device', mode: 0o666, major: 1, minor: 3 },
      { name: 'disk', type: 'block-device', mode: 0o600, major: 259, minor: 70000 },
    );
    expect(statSync(`${topOf(chainId)}/su`)).toMatchObject({ mode: 0o104755, uid: 1, gid: 2 });
    expect(statSync(`${topOf(chainId)}/null`)).toMatchObject({ mode: 0o020666, rdev: 0x103 });
  });

  it('that is no tar, is cut, or lies about a size is refused', async () => {
    const huge = encodeHeader({
      name: 'f',
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtime: 0,
      size: 2 ** 50,
    } satisfies TarEntry);
    const cut = tarOf({ name: 'f', text: 'x'.repeat(5000) }).subarray(0, 3000);
    for (const bytes of [Buffer.from('not a tar '.repeat(100)), cut]) {
      await expect(opened.store.apply(null, once(bytes))).rejects.toMatchObject({ kind: 'invalid' });
    }
    await expect(opened.store.apply(null, once(huge))).rejects.toMatchObject({ kind: 'exhausted' });
  });

  it('that fails in a worker thread leaves nothing either', async () => {
    const good = Array.from({ length: 400 }, (_, index): Member => ({ name: `f${index}`, text: 'x'.repeat(2000) }));
    await expect(apply(null, ...good, { name: '../out', text: 'x' })).rejects.toMatchObject({ kind: 'invalid' });
    expect(readdirSync(`${opened.folder}/layers`)).toEqual([]);
  });
});

describe('a container that swaps what is being read for a link', () => {
  let top: string;
  beforeEach(() => {
    top = `${opened.folder}/live`;
    for (const name of ['a', 'b']) {
      mkdirSync(`${top}/${name}`, { recursive: true });
      for (const file of ['file', 'second']) writeFileSync(`${top}/${name}/${file}`, 'mine');
    }
  });
  const swap = (name: string) => {
    renameSync(`${top}/${name}`, `${opened.folder}/moved`);
    symlinkSync(canary, `${top}/${name}`);
  };

  it('does not lead a walk into another directory', () => {
    const walked: string[] = [];
    for (const { path } of walkTree(top, { live: true })) {
      if (path === 'b') swap('b');
      walked.push(path);
    }
    expect(walked).toEqual(['a', 'a/file', 'a/second', 'b']);
  });

  it('does not change the directory that a walk is in', () => {
    const tar: Buffer[] = [];
    const items = (function* () {
      for (const item of walkTree(top, { live: true })) {
        if (item.path === 'a/file') swap('a');
        yield item;
      }
    })();
    for (const chunk of packTree(items)) tar.push(chunk);
    expect(Buffer.concat(tar).toString('latin1')).toContain('mine');
    expect(Buffer.concat(tar).toString('latin1')).not.toContain('untouched');
  });

  it('does not have a file read through the link', () => {
    const items = (function* () {
      for (const item of walkTree(top, { live: true })) {
        if (item.path === 'a/file') {
          rmSync(`${top}/a/file`);
          symlinkSync(`${canary}/file`, `${top}/a/file`);
        }
        yield item;
      }
    })();
    const tar = Buffer.concat([...packTree(items)]).toString('latin1');
    expect(tar).toContain('a/second');
    expect(tar).not.toContain('untouched');
  });
});

it('keeps binary attributes of copied-up files', async () => {
  const base = await apply(null, { name: 'f', text: 'x' });
  const root = await opened.store.prepare('build-1', base.chainId);
  writeXattr(`${root.path}/f`, 'user.bin', Buffer.from([0, 255, 10, 61]));
  const { chainId } = await opened.store.commit(root);
  expect(listXattrs(`${topOf(chainId)}/f`)).toEqual(['user.bin']);
});

describe('limits of the store', () => {
  it.each([
    [{ entries: 2 }, 'more than 2 entries'],
    [{ bytes: 5 }, 'more than 5 bytes'],
  ])('%j hold for every layer', async (limits, message) => {
    const store = await openLayerStore({ dataFolder: `${opened.folder}/limited`, limits });
    const tar = tarOf({ name: 'a', text: 'xx' }, { name: 'b', text: 'xx' }, { name: 'c', text: 'xx' });
    await expect(store.apply(null, once(tar))).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(message),
    });
    expect(readdirSync(`${opened.folder}/limited/tmp`)).toEqual([]);
  });
});
