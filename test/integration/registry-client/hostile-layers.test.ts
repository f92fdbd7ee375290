import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeHeader } from '../../../src/archive/index.ts';
import { mediaTypes, sha256 } from '../../../src/oci/index.ts';
import { type Member, tarOf } from '../../contract/snapshots.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { Host, type Result } from '../../support/host.ts';
import { type Tree, treeOfFolder, treeOfTar } from '../../support/tree.ts';

let host: Host;
let registry: FakeRegistry;
/** A folder that every escape aims at: nothing in it may change. */
let canary: string;
let before: Tree;

beforeAll(async () => {
  host = new Host({ env: { DOCKER_CONFIG: '/nonexistent' } });
  registry = await FakeRegistry.start();
  canary = mkdtempSync('/tmp/berth-canary-');
  mkdirSync(join(canary, 'folder'));
  writeFileSync(join(canary, 'file'), 'untouched', { mode: 0o640 });
  symlinkSync('file', join(canary, 'link'));
  before = treeOfFolder(canary);
});
afterAll(async () => {
  await host.dispose();
  await registry.close();
  rmSync(canary, { recursive: true, force: true });
});

interface Layer {
  readonly blob: Buffer;
  readonly tar: Buffer;
}

const plain = (tar: Buffer): Layer => ({ blob: gzipSync(tar), tar });
const layer = (...members: readonly Member[]): Layer => plain(tarOf(...members));
const link = (name: string, linkName: string): Member => ({ name, type: 'symlink', linkName });
const hard = (name: string, linkName: string): Member => ({ name, type: 'hardlink', linkName });
const folder = (name: string): Member => ({ name, type: 'directory', mode: 0o755 });
const file = (name: string): Member => ({ name, text: 'x' });

const ways: Readonly<Record<'pull' | 'load', (layers: readonly Layer[]) => Promise<Result>>> = {
  pull(layers) {
    const described = layers.map(({ blob, tar }) => ({ blob, diffId: sha256(tar) }));
    registry.addImage('evil', '1', described);
    return host.berth(['pull', `${registry.host}/evil:1`]);
  },
  load(layers) {
    const rootfs = { type: 'layers', diff_ids: layers.map(({ tar }) => sha256(tar)) };
    const names = layers.map((_, index) => `${index}.tar`);
    const manifest = [{ Config: 'config.json', RepoTags: ['evil:1'], Layers: names }];
    const bytes = (name: string, content: Buffer) => ({
      header: encodeHeader({ type: 'file', name, size: content.length, mode: 0o644, uid: 0, gid: 0, mtime: 0 }),
      content,
    });
    const parts = [
      bytes('manifest.json', Buffer.from(JSON.stringify(manifest))),
      bytes('config.json', Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }))),
      ...layers.map(({ blob }, index) => bytes(names[index]!, blob)),
    ];
    const archive = parts.flatMap(({ header, content }) => [
      header,
      content,
      Buffer.alloc((512 - (content.length % 512)) % 512),
    ]);
    return host.berth(['load'], { input: Buffer.concat([...archive, Buffer.alloc(1024)]) });
  },
};

/** Whatever came: no file of it is left, nothing outside has changed, and the engine takes the next image. */
async function expectNoTrace(): Promise<void> {
  const data = join(host.root, 'layout-v1');
  expect(readdirSync(join(data, 'downloads'))).toEqual([]);
  expect(readdirSync(join(data, 'layers'))).toEqual([]);
  expect(readdirSync(join(data, 'tmp'))).toEqual([]);
  expect(treeOfFolder(canary)).toEqual(before);
  const good = layer(file('good'));
  registry.addImage('good', '1', [{ blob: good.blob, diffId: sha256(good.tar) }]);
  await host.ok(['pull', '-q', `${registry.host}/good:1`]);
  await host.ok(['rmi', `${registry.host}/good:1`]);
  expect(await host.ok(['images', '-q'])).toBe('');
}

/** A header that announces more than any disk has, as a sparse file would. */
function announced(name: string, size: number): Buffer {
  return encodeHeader({ type: 'file', name, size, mode: 0o644, uid: 0, gid: 0, mtime: 0 });
}

/** Title, then the layers from the lowest, then what the error has to name. Made late: the canary's name is not known yet. */
const refused: readonly (readonly [string, () => readonly Layer[], RegExp])[] = [
  [
    'hostile 1: a name with ..',
    () => [layer(file('ok'), file(`../../../../../..${canary}/new`))],
    /berth-canary-\w+\/new/,
  ],
  ['hostile 1: a name with .. inside', () => [layer(file('a/../../../new'))], /a\/\.\.\/\.\.\/\.\.\/new/],
  ['hostile 1: a path of 5000 characters', () => [layer(file('nn/'.repeat(1700)))], /nn\/nn\/nn/],
  ['hostile 1: a name of 300 characters', () => [layer(file('n'.repeat(300)))], /nnnn/],
  ['hostile 2: a file through a symlink', () => [layer(link('d', canary), file('d/new'))], /"d\/new"/],
  ['hostile 2: a folder through a symlink', () => [layer(link('d', canary), folder('d/new'))], /"d\/new"/],
  ['hostile 2: a hard link to outside', () => [layer(hard('h', `${canary}/file`))], /"h".*berth-canary/],
  ['hostile 2: a hard link with ..', () => [layer(hard('h', `../../../../..${canary}/file`))], /"h"/],
  ['hostile 2: a hard link through a symlink', () => [layer(link('d', canary), hard('h', 'd/file'))], /"h"/],
  ['hostile 2: a hard link to a lower layer', () => [layer(file('a')), layer(hard('h', 'a'))], /"h"/],
  ['hostile 3: a whiteout of nothing', () => [layer(file('a')), layer({ name: '.wh.' })], /"\.wh\."/],
  ['hostile 3: a whiteout of the top', () => [layer(file('a')), layer({ name: '.wh..' })], /"\.wh\.\."/],
  ['hostile 3: a whiteout of what is above', () => [layer(file('a')), layer({ name: 'd/.wh...' })], /"d\/\.wh\.\.\."/],
  ['hostile 3: a whiteout as a folder', () => [layer(file('a')), layer({ name: '.wh./etc' })], /"\.wh\.\/etc"/],
  [
    'hostile 3: an opaque mark on a symlink',
    () => [layer(file('a')), layer(link('d', canary), { name: 'd/.wh..wh..opq' })],
    /opq/,
  ],
  [
    'hostile 3: a whiteout below a symlink',
    () => [layer(file('a')), layer(link('d', canary), { name: 'd/.wh.file' })],
    /"d\/\.wh\.file"/,
  ],
  [
    'hostile 4: a forged overlay whiteout',
    () => [layer({ name: 'a', type: 'character-device', major: 0, minor: 0 })],
    /"a"/,
  ],
  ['hostile 6: a file of 8 PiB', () => [plain(announced('huge', 2 ** 53 - 1))], /huge/],
  [
    'hostile 6: sizes that add up to more than the disk has',
    () => [plain(Buffer.concat([tarOf(file('a')).subarray(0, 1024), announced('huge', 2 ** 52)]))],
    /huge/,
  ],
  ['hostile 6: a size that lies', () => [plain(Buffer.concat([announced('lie', 100_000), Buffer.alloc(1024)]))], /./],
  ['hostile 6: a zstd bomb', () => [bomb()], /expands more than/],
  [
    'hostile 6: more replaced entries than anybody makes',
    () => [layer(...Array.from({ length: 10_002 }, () => file('same')))],
    /same/,
  ],
  ['hostile 21: what is no tar', () => [plain(Buffer.from('nonsense'.repeat(1000)))], /tar|header/],
];

function bomb(): Layer {
  const tar = tarOf({ name: 'zeros', text: '\0'.repeat(200 << 20) });
  return { blob: zstdCompressSync(tar), tar };
}

describe.each(['pull', 'load'] as const)('%s refuses, by the entry’s name', (way) => {
  it.each(refused)('%s', async (_title, layers, named) => {
    const { code, stderr } = await ways[way](layers());
    expect([code, stderr]).toEqual([1, expect.stringMatching(named)]);
    expect(stderr).not.toContain('    at ');
    await expectNoTrace();
  });
});

/** What is odd, but has a meaning within the image. */
const harmless: readonly (readonly [string, () => readonly Layer[], readonly string[]])[] = [
  ['hostile 1: an absolute name is below the top', () => [layer(file(`${canary}/inside`))], []],
  ['hostile 1: a backslash is a letter of a name', () => [layer(file('..\\..\\new'))], ['..\\..\\new']],
  [
    'hostile 1: a path of 300 levels is a path',
    () => [layer(folder('d/'.repeat(300)))],
    ['d/'.repeat(300).slice(0, -1)],
  ],
  [
    'hostile 2: a file replaces a lower layer’s symlink’s target only inside',
    () => [layer(link('d', canary)), layer(folder('d'), file('d/new'))],
    ['d/new'],
  ],
  ['hostile 2: a folder over a symlink', () => [layer(link('d', canary), folder('d'), file('d/new'))], ['d/new']],
  [
    'hostile 3: an opaque mark at the top hides the lower layer',
    () => [layer(file('a')), layer({ name: '.wh..wh..opq' }, file('b'))],
    ['b'],
  ],
];

describe.each(['pull', 'load'] as const)('%s takes, within the image', (way) => {
  let name: string;
  beforeEach(() => {
    name = way === 'pull' ? `${registry.host}/evil:1` : 'evil:1';
  });

  it.each(harmless)('%s', async (_title, layers, paths) => {
    const { code, stderr } = await ways[way](layers());
    expect([code, stderr]).toEqual([0, '']);
    const tree = await exported(name);
    for (const path of paths) expect(Object.keys(tree)).toContain(path);
    await host.ok(['rmi', name]);
    await expectNoTrace();
  });

  it('hostile 4: no overlay mark comes in, and capabilities do', async () => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const marks = ['trusted.overlay.redirect', 'trusted.overlay.opaque', 'user.overlay.whiteout'];
    const xattrs = new Map<string, Buffer>([
      ...marks.map((mark) => [mark, Buffer.from('y')] as const),
      ['security.capability', capability],
    ]);
    const made = [
      layer(file('f')),
      layer(
        { name: 'f', text: 'x', xattrs },
        { ...folder('d'), xattrs: new Map(marks.map((mark) => [mark, Buffer.from('y')])) },
      ),
    ];
    expect(await ways[way](made)).toMatchObject({ code: 0 });
    const tree = await exported(name);
    expect(tree['f']).toContain('security.capability=');
    expect(JSON.stringify(tree)).not.toContain('overlay');
    await host.ok(['rmi', name]);
    await expectNoTrace();
  });
});

async function exported(name: string): Promise<Tree> {
  const id = (await host.ok(['create', name, 'x'])).trim();
  const tar = join(host.folder, 'export.tar');
  await host.ok(['export', '-o', tar, id]);
  await host.ok(['rm', id]);
  try {
    return await treeOfTar(tar);
  } finally {
    execFileSync('rm', ['-f', tar]);
  }
}

describe('a pull refuses', () => {
  it('hostile 21: an index that a registry sends in a circle', async () => {
    const entry = registry.addImage('evil', 'inner', [], {});
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [{ ...entry, mediaType: mediaTypes.ociIndex }],
    };
    const { digest } = registry.addManifest('evil', 'loop', index);
    const { bytes, type } = registry.manifests.get('evil:loop')!;
    for (const target of [entry.digest, digest]) registry.manifests.set(`evil:${target}`, { bytes, type });
    const { code, stderr } = await host.berth(['pull', `${registry.host}/evil:loop`]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/does not match its digest|nested more than/)]);
    await expectNoTrace();
  });

  it.each([
    ['JSON of two million levels', Buffer.from(`{"schemaVersion":2,"layers":${'['.repeat(2_000_000)}`), /refused/],
    ['a manifest of 100 MB', Buffer.alloc(100_000_000, 0x20), /larger than/],
    [
      'a manifest with a layer of a negative size',
      Buffer.from('{"schemaVersion":2,"config":{"size":-1},"layers":[]}'),
      /refused/,
    ],
  ])('hostile 21: %s', async (_what, bytes, why) => {
    registry.addManifest('evil', '1', bytes, mediaTypes.ociManifest);
    const { code, stderr } = await host.berth(['pull', `${registry.host}/evil:1`]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(why)]);
    await expectNoTrace();
  });
});
