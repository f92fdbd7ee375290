import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Manifest, mediaTypes, parseReference, sha256 } from '../../../src/oci/index.ts';
import {
  createPusher,
  type LayerBlobs,
  openLayerBlobs,
  openUploadMemory,
  type Pusher,
  type PushMessage,
  type PushSource,
} from '../../../src/registry-client/index.ts';
import { parallelCompress } from '../../../src/registry-client/push/parallel-compress.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { layer, PullBench } from '../../support/registry-sink.ts';

let registry: FakeRegistry;
let bench: PullBench;
let folder: string;
let blobs: LayerBlobs;
let pusher: Pusher;
let opened: number;
let messages: PushMessage[];

beforeEach(async () => {
  registry = await FakeRegistry.start();
  bench = new PullBench({ uploadChunkBytes: 1 << 20 });
  folder = mkdtempSync(join(tmpdir(), 'berth-push-'));
  blobs = openLayerBlobs(join(folder, 'blobs'));
  pusher = open();
  opened = 0;
  messages = [];
});

afterEach(async () => {
  bench.dispose();
  await registry.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(): Pusher {
  const memory = openUploadMemory(join(folder, 'sessions'), Date.now);
  return createPusher({ folder: join(folder, 'layers'), blobs, memory, now: Date.now });
}

function image(...contents: readonly Buffer[]): PushSource {
  const diff_ids = contents.map((content) => sha256(content));
  return {
    configBytes: Buffer.from(
      JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids } }),
    ),
    layers: contents.map((content) => ({
      diffId: sha256(content),
      async *open() {
        opened += 1;
        for (let at = 0; at < content.length; at += 100_000) yield content.subarray(at, at + 100_000);
      },
    })),
  };
}

function push(name: string, source: PushSource, signal = new AbortController().signal) {
  const reference = parseReference(`${registry.host}/${name}`);
  return pusher.push(bench.client, { reference, image: source, emit: (message) => messages.push(message), signal });
}

const statuses = () => messages.flatMap(({ id, status }) => (status ? [id ? `${id}: ${status}` : status] : []));
const received = (method: string) =>
  registry.seen(method, /uploads/).reduce((sum, request) => sum + request.received, 0);

describe('a push', () => {
  it('brings what a pull takes, manifest last, and tells of it in docker’s words', async () => {
    const source = image(Buffer.from('one'), randomBytes(3 << 20));
    const { digest } = await push('a:1', source);
    expect(registry.requests.at(-1)).toMatchObject({ method: 'PUT', url: '/v2/a/manifests/1' });
    const id = source.layers[0]!.diffId.slice(7, 19);
    expect(statuses()[0]).toBe(`The push refers to repository [${registry.host}/a]`);
    expect(statuses()).toEqual(expect.arrayContaining([`${id}: Preparing`, `${id}: Pushed`]));
    const size = registry.manifests.get('a:1')!.bytes.length;
    expect(messages.slice(-2)).toEqual([
      { status: `1: digest: ${digest} size: ${size}` },
      { aux: { Tag: '1', Digest: digest, Size: size } },
    ]);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(2);
    expect(readdirSync(join(folder, 'layers'))).toEqual([]);
  });

  it('of an unchanged image reads and sends no layer', async () => {
    const source = image(Buffer.from('one'));
    const first = await push('a:1', source);
    const before = received('PUT');
    const second = await push('a:2', source);
    expect(second).toEqual(first);
    expect(opened).toBe(1);
    expect(received('PUT')).toBe(before);
    expect(statuses()).toContain(`${source.layers[0]!.diffId.slice(7, 19)}: Layer already exists`);
  });

  it('to another repository mounts what the registry has', async () => {
    const source = image(Buffer.from('one'));
    await push('a:1', source);
    await push('b:1', source);
    expect(opened).toBe(1);
    expect(statuses()).toContain(`${source.layers[0]!.diffId.slice(7, 19)}: Mounted from a`);
  });

  it('of a pulled image sends its layers under the digests that they had', async () => {
    const one = layer('one');
    registry.addImage('a', '1', [one]);
    await blobs.note(
      one.diffId,
      { mediaType: mediaTypes.dockerLayer, digest: sha256(one.blob), size: one.blob.length },
      `${registry.host}/a`,
    );
    await push('a:2', image(Buffer.from('one')));
    const { layers }: Manifest = JSON.parse(registry.manifests.get('a:2')!.bytes.toString());
    expect(layers).toEqual([{ mediaType: mediaTypes.ociLayerGzip, digest: sha256(one.blob), size: one.blob.length }]);
    expect(opened).toBe(0);
  });

  it('sends anew what the registry lost, also when its compressed form came out another', async () => {
    const content = Buffer.from('one');
    await blobs.note(
      sha256(content),
      { mediaType: mediaTypes.ociLayerGzip, digest: sha256('gone'), size: 4 },
      `${registry.host}/a`,
    );
    await push('a:1', image(content));
    const { layers }: Manifest = JSON.parse(registry.manifests.get('a:1')!.bytes.toString());
    expect(gunzipSync(registry.blobs.get(`a@${layers[0]!.digest}`)!).toString()).toBe('one');
  });

  it('that broke off goes on where it was, in another process, too', async () => {
    const source = image(randomBytes(5 << 20));
    const controller = new AbortController();
    registry.script('PATCH', /uploads/, () => controller.abort());
    registry.script('PATCH', /uploads/, ({ usual }) => usual(), 3);
    await expect(push('a:1', source, controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
    pusher = open();
    await push('a:1', source);
    expect(opened).toBe(1);
    expect(registry.seen('POST', /uploads/)).toHaveLength(2);
    expect(received('PATCH')).toBeLessThan((5 << 20) * 1.3);
  });

  it('writes no manifest when a layer is refused', async () => {
    registry.script('POST', /uploads/, ({ send }) => send(403), 9);
    await expect(push('a:1', image(Buffer.from('one')))).rejects.toMatchObject({ kind: 'forbidden' });
    expect(registry.seen('PUT', /manifests/)).toEqual([]);
  });
});

describe.each(['gzip', 'zstd'] as const)('parallel %s', (format) => {
  const packed = async (content: Uint8Array) => {
    const chunks: Buffer[] = [];
    const source = (async function* () {
      yield content;
    })();
    for await (const { bytes } of parallelCompress(source, { format, level: 1, parallel: 3 })) chunks.push(bytes);
    return Buffer.concat(chunks);
  };

  it('gives back what it took', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), fc.nat(1500), async (bytes, times) => {
        const content = Buffer.concat(Array.from({ length: times }, () => bytes));
        expect((format === 'gzip' ? gunzipSync : zstdDecompressSync)(await packed(content)).equals(content)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('gives equal bytes for equal content', async () => {
    const content = randomBytes(5 << 20);
    expect(sha256(await packed(content))).toBe(sha256(await packed(content)));
  });
});

describe('what is remembered of layers', () => {
  const blob = (text: string) => ({ mediaType: mediaTypes.ociLayerGzip, digest: sha256(text), size: text.length });
  const [first, second, third] = [sha256('1'), sha256('2'), sha256('3')];

  it('goes when nobody needs the layer, but not what is noted meanwhile', async () => {
    await blobs.note(first, blob('first'));
    await blobs.note(second, blob('second'));
    await blobs.removeUnneeded(async () => {
      await blobs.note(third, blob('third'));
      return [second];
    });
    const known = await Promise.all([first, second, third].map((id) => blobs.get(id)));
    expect(known.map((one) => one?.blob.digest)).toEqual([undefined, sha256('second'), sha256('third')]);
  });

  it('has nothing half-written after a start', async () => {
    await blobs.note(first, blob('first'));
    const [name] = readdirSync(join(folder, 'blobs'));
    writeFileSync(join(folder, 'blobs', `${name}.1-2`), '{');
    openLayerBlobs(join(folder, 'blobs'));
    expect(readdirSync(join(folder, 'blobs'))).toEqual([name]);
  });
});
