import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openGarbage, openImageStore, openSpool, openStepRecords } from '../../../src/cache/index.ts';
import { createImages } from '../../../src/engine/images/index.ts';
import { type ChainId, chainIds, type ImageId, sha256 } from '../../../src/oci/index.ts';
import { openLayerStore } from '../../../src/runtime/index.ts';
import { bytesOf, lines, messages, stream, tarOf } from '../../unit/engine-images/engine.ts';

const never = new AbortController().signal;
const gently = { force: false, prune: true };
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Images over the store of layers that the engine has, in a folder of its own. */
async function realEngine() {
  const folder = mkdtempSync(join(tmpdir(), 'berth-layers-'));
  folders.push(folder);
  const snapshots = await openLayerStore({ dataFolder: folder });
  const { engineImages } = openImageStore(folder);
  const records = openStepRecords(folder);
  const containers: ChainId[] = [];
  const garbage = openGarbage({
    layers: snapshots,
    images: engineImages,
    containers: async () => containers,
    records: () => records.chains(),
  });
  const ports = { images: engineImages, snapshots, clock: Date, spool: openSpool(folder), garbage };
  const api = createImages(ports, { emit: () => undefined, containersUsing: async () => [] });
  const names = (part: string) => (existsSync(join(folder, part)) ? readdirSync(join(folder, part)) : []);
  return { api, ports, snapshots, records, containers, names };
}

type Real = Awaited<ReturnType<typeof realEngine>>;

function rootTar(script: string): Buffer {
  const make = `set -e; d=$(mktemp -d); cd "$d"\n${script}\ntar -c --sort=name --numeric-owner . ; rm -rf "$d"`;
  return execFileSync('sh', ['-c', make], { maxBuffer: 1 << 26 });
}

const first = rootTar('mkdir etc bin; echo hello > etc/greeting; echo x > bin/x; chmod 4755 bin/x; ln bin/x bin/y');
const second = rootTar('mkdir etc; echo changed > etc/greeting; touch bin.txt .wh.bin');

async function imageOf({ ports, snapshots }: Real, name: string, layers: readonly Buffer[]) {
  let parent: ChainId | null = null;
  const diffIds: string[] = [];
  for (const tar of layers) {
    const layer = await snapshots.apply(parent, stream(tar));
    parent = layer.chainId;
    diffIds.push(layer.diffId);
  }
  const rootfs = { type: 'layers', diff_ids: diffIds };
  return ports.images.put(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs })), [name]);
}

describe('images over the real layer store', () => {
  it('save and load give the same archive again, and rmi gives the room back', async () => {
    const engine = await realEngine();
    const image = await imageOf(engine, 'docker.io/library/app:1', [first, second]);
    const saved = await bytesOf(await engine.api.save(['app:1']));
    expect(await engine.api.remove('app:1', gently)).toHaveLength(4);
    expect(engine.names('layers')).toEqual([]);
    expect(engine.names('content/blobs/sha256')).toEqual([]);
    expect(await lines(engine.api.load(stream(saved), never))).toBe('Loaded image: app:1\n');
    expect((await engine.ports.images.find('docker.io/library/app:1'))?.id).toBe(image.id);
    expect(await bytesOf(await engine.api.save(['app:1']))).toEqual(saved);
    expect(engine.names('tmp')).toEqual([]);
  });

  it('import keeps the digest of the tar that was given', async () => {
    const engine = await realEngine();
    const [{ status }] = (await messages(engine.api.import(stream(first), { changes: [], signal: never }))) as [
      { status: ImageId },
    ];
    expect((await engine.ports.images.get(status))?.config.rootfs.diff_ids).toEqual([sha256(first)]);
  });

  it('rmi keeps what a container or a build record needs, down to the base', async () => {
    const engine = await realEngine();
    const image = await imageOf(engine, 'docker.io/library/app:1', [first, second]);
    const [low, high] = chainIds(image.config.rootfs.diff_ids) as [ChainId, ChainId];
    const layer = { chainId: high, diffId: sha256(second), sizeBytes: 1 };
    const key = { digest: sha256('key'), inputs: {} };
    await engine.records.put({ key, slot: 's', layer, createdAt: '' });
    expect(await engine.api.remove('app:1', gently)).toEqual([{ Untagged: 'app:1' }, { Deleted: image.id }]);
    expect(engine.names('layers')).toHaveLength(2);
    await engine.records.remove(key.digest);
    engine.containers.push(low);
    expect(await engine.ports.garbage.removeUnneeded([low, high])).toEqual([high]);
    engine.containers.pop();
    expect(await engine.ports.garbage.removeUnneeded([low, high])).toEqual([low]);
    expect(engine.names('layers')).toEqual([]);
  });

  it('a load with a hostile layer leaves nothing, not even its good layers', async () => {
    const engine = await realEngine();
    const hostile = tarOf([
      { name: 'a', type: 'symlink', linkName: '/etc' },
      { name: 'a/../../x', content: 'x' },
    ]);
    const rootfs = { type: 'layers', diff_ids: [sha256(first), sha256(hostile)] };
    const archive = tarOf([
      { name: 'manifest.json', content: JSON.stringify([{ Config: 'c', RepoTags: ['a:1'], Layers: ['1', '2'] }]) },
      { name: 'c', content: JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }) },
      { name: '1', content: first },
      { name: '2', content: hostile },
    ]);
    await expect(messages(engine.api.load(stream(archive), never))).rejects.toMatchObject({ kind: 'invalid' });
    expect(engine.names('layers')).toEqual([]);
    expect(engine.names('tmp')).toEqual([]);
    expect(await engine.ports.images.list()).toEqual([]);
  });
});
