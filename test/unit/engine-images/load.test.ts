import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { hexOf, sha256 } from '../../../src/oci/index.ts';
import { imagesEngine, lines, type Made, messages, stream, tarOf } from './engine.ts';

const never = new AbortController().signal;
const layer = tarOf([{ name: 'hello', content: 'hello' }]);
const second = tarOf([{ name: 'second', content: 'more' }]);

function configOf(...layers: Buffer[]): Buffer {
  const diffIds = layers.map((bytes) => sha256(bytes));
  return Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }),
  );
}

const config = configOf(layer, second);
const hex = (bytes: Buffer) => hexOf(sha256(bytes));
const blob = (bytes: Buffer): Made => ({ name: `blobs/sha256/${hex(bytes)}`, content: bytes });
const json = (name: string, value: unknown): Made => ({ name, content: JSON.stringify(value) });
const describeBlob = (bytes: Buffer, extra: object = {}) => ({ digest: sha256(bytes), size: bytes.length, ...extra });

/** As `docker save` wrote until version 24. */
function legacyArchive(changes: { manifest?: object; extra?: readonly Made[]; second?: Made } = {}): Buffer {
  return tarOf([
    { name: 'aaaa', type: 'directory' },
    { name: 'aaaa/VERSION', content: '1.0' },
    { name: 'aaaa/json', content: '{}' },
    { name: 'aaaa/layer.tar', content: layer },
    changes.second ?? { name: 'bbbb/layer.tar', content: second },
    { name: `${hex(config)}.json`, content: config },
    ...(changes.extra ?? []),
    json('manifest.json', [
      {
        Config: `${hex(config)}.json`,
        RepoTags: ['app:1'],
        Layers: ['aaaa/layer.tar', 'bbbb/layer.tar'],
        ...changes.manifest,
      },
    ]),
  ]);
}

function ociArchive(annotations: object | undefined, layers = [layer, second], own = config): Buffer {
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, config: describeBlob(own), layers: layers.map((l) => describeBlob(l)) }),
  );
  return tarOf([
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
    json('index.json', { schemaVersion: 2, manifests: [describeBlob(manifest, annotations && { annotations })] }),
    ...[...layers].reverse().map(blob),
    blob(manifest),
    blob(own),
  ]);
}

async function load(archive: Buffer) {
  const engine = await imagesEngine();
  const text = await lines(engine.api.load(stream(archive), never));
  return { engine, text, image: await engine.ports.images.get(sha256(config)) };
}

/** Refused, with nothing left: no image, no layer, no temp. */
async function refused(archive: Buffer) {
  const engine = await imagesEngine();
  const error: unknown = await messages(engine.api.load(stream(archive), never)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'BerthError' });
  expect(await engine.ports.images.list()).toEqual([]);
  expect([...engine.snapshots.layers.keys()]).toEqual([]);
  expect(await engine.temps()).toEqual([]);
  return error as Error & { kind: string };
}

describe('load of archives of other tools', () => {
  it("reads docker's old form", async () => {
    const { text, image, engine } = await load(legacyArchive());
    expect(text).toBe('Loaded image: app:1\n');
    expect(image?.names).toEqual(['docker.io/library/app:1']);
    expect(engine.snapshots.layers.size).toBe(2);
  });

  it('follows a layer that is a link to another, as docker wrote for equal layers', async () => {
    const twice = configOf(layer, layer);
    const archive = tarOf([
      { name: 'aaaa/layer.tar', type: 'symlink', linkName: '../bbbb/layer.tar' },
      { name: 'bbbb/layer.tar', content: layer },
      { name: `${hex(twice)}.json`, content: twice },
      json('manifest.json', [
        { Config: `${hex(twice)}.json`, RepoTags: null, Layers: ['aaaa/layer.tar', 'bbbb/layer.tar'] },
      ]),
    ]);
    const engine = await imagesEngine();
    expect(await lines(engine.api.load(stream(archive), never))).toBe(`Loaded image ID: ${sha256(twice)}\n`);
    expect(engine.snapshots.layers.size).toBe(2);
  });

  it('reads layers that are compressed, and entries with ./ before their names', async () => {
    const archive = tarOf([
      json('./manifest.json', [{ Config: './config', RepoTags: ['app:1'], Layers: ['./one', 'two'] }]),
      { name: './two', content: gzipSync(second) },
      { name: './one', content: layer },
      { name: './config', content: config },
    ]);
    expect((await load(archive)).image?.names).toEqual(['docker.io/library/app:1']);
  });

  it.each([
    [{ 'io.containerd.image.name': 'docker.io/library/app:1', 'org.opencontainers.image.ref.name': '1' }, 'app:1'],
    [{ 'org.opencontainers.image.ref.name': 'localhost:5000/app' }, 'localhost:5000/app:latest'],
  ])('reads an OCI layout, named by its annotations %j', async (annotations, name) => {
    expect((await load(ociArchive(annotations))).text).toBe(`Loaded image: ${name}\n`);
  });

  it.each([[undefined], [{ 'org.opencontainers.image.ref.name': 'latest' }]])(
    'does not guess a repository from %j',
    async (annotations) => {
      expect((await load(ociArchive(annotations))).text).toBe(`Loaded image ID: ${sha256(config)}\n`);
    },
  );

  it('takes the manifest of this platform from a nested index, and no attestation', async () => {
    const own = Buffer.from(
      JSON.stringify({ config: describeBlob(config), layers: [describeBlob(layer), describeBlob(second)] }),
    );
    const index = Buffer.from(
      JSON.stringify({
        manifests: [
          describeBlob(Buffer.from('arm'), { platform: { os: 'linux', architecture: 'arm64' } }),
          describeBlob(Buffer.from('att'), { platform: { os: 'unknown', architecture: 'unknown' } }),
          describeBlob(own, { platform: { os: 'linux', architecture: 'amd64' } }),
        ],
      }),
    );
    const archive = tarOf([
      ...[layer, second, own, index, config].map(blob),
      json('index.json', { manifests: [describeBlob(index)] }),
    ]);
    expect((await load(archive)).image?.config.rootfs.diff_ids).toHaveLength(2);
  });

  it('reads an image without layers', async () => {
    const empty = configOf();
    const archive = tarOf([
      json('manifest.json', [{ Config: 'c', RepoTags: ['scratch/x:1'], Layers: null }]),
      { name: 'c', content: empty },
    ]);
    expect((await load(archive)).text).toBe('Loaded image: scratch/x:1\n');
  });
});

describe('load refuses, and leaves nothing of', () => {
  const windows = Buffer.from('{"os":"windows","rootfs":{"diff_ids":[]}}');
  const wrongDiff = configOf(layer, tarOf([{ name: 'else' }]));
  const cases: Record<string, [Buffer, RegExp]> = {
    'text that is no archive': [Buffer.alloc(2048, 'hello '), /./],
    'an empty stream': [Buffer.alloc(0), /./],
    'a root file system': [layer, /neither manifest.json nor index.json/],
    'a config path that leads outside': [legacyArchive({ manifest: { Config: '../../etc/passwd' } }), /leads outside/],
    'a layer path that leads outside': [legacyArchive({ manifest: { Layers: ['../x', '/y'] } }), /leads outside/],
    'an absolute layer path': [legacyArchive({ manifest: { Layers: ['/etc/shadow', 'b'] } }), /is absolute/],
    'an entry that leads outside': [legacyArchive({ extra: [{ name: '../evil', content: 'x' }] }), /./],
    'a link that leads outside': [
      legacyArchive({ second: { name: 'bbbb/layer.tar', type: 'symlink', linkName: '../../etc/passwd' } }),
      /leads outside/,
    ],
    'a link to an absolute path outside': [
      legacyArchive({ second: { name: 'bbbb/layer.tar', type: 'symlink', linkName: '/etc/passwd' } }),
      /is absolute/,
    ],
    'links in a circle': [
      legacyArchive({
        second: { name: 'bbbb/layer.tar', type: 'symlink', linkName: '../cccc' },
        extra: [{ name: 'cccc', type: 'symlink', linkName: 'bbbb/layer.tar' }],
      }),
      /circle/,
    ],
    'a device': [legacyArchive({ extra: [{ name: 'null', type: 'character-device' }] }), /character-device/],
    'a path that occurs twice': [legacyArchive({ extra: [{ name: 'aaaa/layer.tar', content: second }] }), /twice/],
    'a layer that is missing': [legacyArchive({ manifest: { Layers: ['aaaa/layer.tar', 'x'] } }), /missing/],
    'a config that is missing': [legacyArchive({ manifest: { Config: 'x' } }), /config is missing/],
    'fewer layers than the config has': [legacyArchive({ manifest: { Layers: ['aaaa/layer.tar'] } }), /mismatch/],
    'a name without a tag': [legacyArchive({ manifest: { RepoTags: ['app'] } }), /without tag/],
    'a name that is no reference': [legacyArchive({ manifest: { RepoTags: ['App:1'] } }), /invalid reference/],
    'a config that is not what its name says': [
      legacyArchive({
        extra: [{ name: `${'0'.repeat(64)}.json`, content: config }],
        manifest: { Config: `${'0'.repeat(64)}.json` },
      }),
      /does not match its digest/,
    ],
    'a blob that is not what its name says': [
      ociArchive(undefined, [layer, tarOf([{ name: 'x' }])], config),
      /diff id|digest/,
    ],
    'a second layer with another diff id': [
      tarOf([
        json('manifest.json', [{ Config: 'c', RepoTags: ['a:1'], Layers: ['1', '2'] }]),
        { name: 'c', content: wrongDiff },
        { name: '1', content: layer },
        { name: '2', content: second },
      ]),
      /diff id/,
    ],
    'a hostile second layer': [
      (() => {
        const hostile = tarOf([{ name: '../../etc/cron.d/x', content: 'x' }]);
        return tarOf([
          { name: 'c', content: configOf(layer, hostile) },
          json('manifest.json', [{ Config: 'c', RepoTags: ['a:1'], Layers: ['1', '2'] }]),
          { name: '1', content: layer },
          { name: '2', content: hostile },
        ]);
      })(),
      /./,
    ],
    'a huge manifest': [tarOf([{ name: 'manifest.json', content: Buffer.alloc(5 << 20, ' ') }]), /larger than/],
    'a manifest that is no list': [tarOf([json('manifest.json', {})]), /not a list/],
    'a manifest that is no JSON': [tarOf([{ name: 'manifest.json', content: '[{' }]), /not JSON/],
    'a list of nonsense': [tarOf([json('manifest.json', [null, 3])]), /without Config/],
    'an image for another system': [
      tarOf([json('manifest.json', [{ Config: 'c', Layers: [] }]), { name: 'c', content: windows }]),
      /cannot load "windows" image on linux/,
    ],
    'an archive that ends too early': [legacyArchive().subarray(0, 2000), /./],
  };
  it.each(Object.entries(cases))('hostile 5: %s', async (_what, [archive, message]) => {
    expect((await refused(archive)).message).toMatch(message);
  });

  it('an index that contains itself, at any depth', async () => {
    // A digest cannot contain itself; a chain of indexes can be as long as it likes.
    let inner = Buffer.from(JSON.stringify({ config: describeBlob(config), layers: [] }));
    const blobs = [blob(inner)];
    for (let depth = 0; depth < 30; depth++) {
      inner = Buffer.from(JSON.stringify({ manifests: [describeBlob(inner)] }));
      blobs.push(blob(inner));
    }
    const archive = tarOf([...blobs, json('index.json', { manifests: [describeBlob(inner)] })]);
    expect((await refused(archive)).message).toMatch(/nested/);
  });

  it('a document that is index and manifest at once', async () => {
    const both = Buffer.from(JSON.stringify({ manifests: [], layers: [], config: describeBlob(config) }));
    const archive = tarOf([blob(both), blob(config), json('index.json', { manifests: [describeBlob(both)] })]);
    expect((await refused(archive)).message).toMatch(/both/);
  });

  it('an aborted load', async () => {
    const engine = await imagesEngine();
    const controller = new AbortController();
    async function* source() {
      for await (const chunk of stream(legacyArchive())) {
        yield chunk;
        controller.abort();
      }
    }
    await expect(messages(engine.api.load(source(), controller.signal))).rejects.toMatchObject({ name: 'AbortError' });
    expect(await engine.temps()).toEqual([]);
    expect(engine.snapshots.layers.size).toBe(0);
  });

  it('a load whose client goes away in the middle', async () => {
    const engine = await imagesEngine();
    for await (const message of engine.api.load(stream(legacyArchive()), never)) {
      expect(message.status).toBeDefined();
      break;
    }
    expect(await engine.temps()).toEqual([]);
    expect(engine.snapshots.layers.size).toBe(0);
  });

  it('a bad image, but keeps the layers that were there before', async () => {
    const engine = await imagesEngine();
    await messages(engine.api.load(stream(legacyArchive()), never));
    const bad = tarOf([
      json('manifest.json', [{ Config: 'c', RepoTags: ['a:1'], Layers: ['1', '2'] }]),
      { name: 'c', content: wrongDiff },
      { name: '1', content: layer },
      { name: '2', content: second },
    ]);
    await expect(messages(engine.api.load(stream(bad), never))).rejects.toThrow();
    expect(engine.snapshots.layers.size).toBe(2);
  });
});
