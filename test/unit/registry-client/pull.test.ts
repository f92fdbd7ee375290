import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mediaTypes, parseReference, sha256 } from '../../../src/oci/index.ts';
import { FakeRegistry, sha512 } from '../../support/fake-registry.ts';
import { layer, PullBench } from '../../support/registry-sink.ts';

let registry: FakeRegistry;
let bench: PullBench;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  bench = new PullBench();
});

afterEach(async () => {
  bench.dispose();
  await registry.close();
});

/** 3 MiB that do not compress. */
const bigText = randomBytes(3 << 20).toString('latin1');

describe('a pull', () => {
  it('stores layers, image, name and digest, and tells of it in docker’s words', async () => {
    const [one, two] = [layer('one'), layer('two')];
    const { digest } = registry.addImage('team/app', '1', [one, two]);
    await bench.pull(`${registry.host}/team/app:1`);
    expect(bench.sink.layers.size).toBe(2);
    expect([...bench.sink.images.keys()]).toEqual([
      `${registry.host}/team/app:1`,
      `${registry.host}/team/app@${digest}`,
    ]);
    const id = sha256(one.blob).slice(7, 19);
    expect(bench.statuses()[0]).toBe('1: Pulling from team/app');
    expect(bench.statuses().filter((line) => line.startsWith(id))).toEqual(
      expect.arrayContaining([`${id}: Pulling fs layer`, `${id}: Download complete`, `${id}: Pull complete`]),
    );
    expect(bench.statuses().slice(-2)).toEqual([
      `Digest: ${digest}`,
      `Status: Downloaded newer image for ${registry.host}/team/app:1`,
    ]);
    expect(bench.left()).toEqual([]);
    expect(bench.sink.held.size).toBe(0);
  });

  it('says that the image is up to date the second time, and fetches no layer', async () => {
    registry.addImage('a', '1', [layer('one')]);
    await bench.pull(`${registry.host}/a:1`);
    bench.messages.length = 0;
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.statuses().at(-1)).toBe(`Status: Image is up to date for ${registry.host}/a:1`);
    expect(bench.statuses()).toHaveLength(3);
    expect(bench.sink.applied).toBe(1);
  });

  it('fetches only layers that are missing', async () => {
    registry.addImage('a', '1', [layer('one')]);
    registry.addImage('a', '2', [layer('one'), layer('two')]);
    await bench.pull(`${registry.host}/a:1`);
    await bench.pull(`${registry.host}/a:2`);
    expect(registry.seen('GET', new RegExp(sha256(layer('one').blob)))).toHaveLength(1);
    expect(bench.statuses()).toContain(`${sha256(layer('one').blob).slice(7, 19)}: Already exists`);
  });

  it('removes the download that a crash left after its layer was stored', async () => {
    const { blob } = layer('one');
    registry.addImage('a', '1', [layer('one')]);
    await bench.pull(`${registry.host}/a:1`);
    writeFileSync(join(bench.folder, `${sha256(blob).replace(':', '-')}.part`), blob);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.left()).toEqual([]);
  });

  it('by digest gives no tag', async () => {
    const { digest } = registry.addImage('a', '1', [layer('one')]);
    await bench.pull(`${registry.host}/a@${digest}`);
    expect([...bench.sink.images.keys()]).toEqual([`${registry.host}/a@${digest}`]);
  });

  it('fails before the first message when there is no such tag', async () => {
    await expect(bench.pull(`${registry.host}/a:nope`)).rejects.toMatchObject({
      kind: 'not-found',
      message: `manifest for ${registry.host}/a:nope not found: manifest unknown`,
    });
    expect(bench.messages).toEqual([]);
  });

  it('says how to do without a registry when none can be reached', async () => {
    const { host } = registry;
    await registry.close();
    await expect(bench.pull(`${host}/a:1`)).rejects.toMatchObject({
      kind: 'unavailable',
      hint: expect.stringContaining('berth load'),
    });
    expect(bench.slept).toEqual([]);
    registry = await FakeRegistry.start();
  });

  it('leaves nothing behind when it is cancelled, but what helps the next one', async () => {
    registry.addImage('a', '1', [layer('one'), layer(bigText)]);
    const controller = new AbortController();
    registry.script('GET', new RegExp(sha256(layer(bigText).blob)), ({ cut, response }) => {
      const { blob } = layer(bigText);
      response.writeHead(200, { 'Content-Length': blob.length });
      response.write(blob.subarray(0, 1 << 20));
      void cut;
    });
    const id = sha256(layer(bigText).blob).slice(7, 19);
    const emit = (message: { readonly status: string; readonly id?: string }) => {
      // Not at the small layer, which may come before the large one was asked for.
      if (message.status === 'Downloading' && message.id === id) controller.abort();
    };
    await expect(bench.pull(`${registry.host}/a:1`, { signal: controller.signal, emit })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(bench.sink.layers.size).toBe(0);
    expect(bench.sink.images.size).toBe(0);
    expect(bench.sink.held.size).toBe(0);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(2);
    expect(bench.left()).toEqual([]);
  });
});

describe('a connection that breaks in the middle', () => {
  const big = layer(bigText);
  const path = new RegExp(sha256(big.blob));

  it('case 4: goes on where it broke, by Range', async () => {
    registry.addImage('a', '1', [big]);
    registry.script('GET', path, ({ cut }) => cut(200, big.blob, 1_000_000));
    await bench.pull(`${registry.host}/a:1`);
    const [, second] = registry.seen('GET', path);
    const from = Number(/^bytes=(\d+)-$/.exec(String(second?.headers['range']))?.[1]);
    expect(from).toBeGreaterThan(500_000);
    expect(from).toBeLessThanOrEqual(1_000_000);
  });

  it('case 4: goes on after an answer without length that ends early', async () => {
    registry.addImage('a', '1', [big]);
    registry.script('GET', path, ({ response }) => {
      response.writeHead(200, {});
      response.end(big.blob.subarray(0, 1000));
    });
    await bench.pull(`${registry.host}/a:1`);
    expect(registry.seen('GET', path)[1]?.headers['range']).toBe('bytes=1000-');
  });

  it('case 6: skips what it has when Range is ignored', async () => {
    registry.addImage('a', '1', [big]);
    registry.script('GET', path, ({ send }) => send(200, {}, big.blob));
    registry.script('GET', path, ({ cut }) => cut(200, big.blob, 1_000_000));
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(1);
    expect(registry.seen('GET', path)).toHaveLength(2);
  });

  it.each([
    ['another Content-Range', 206, { 'Content-Range': 'bytes 0-10/11' }],
    ['206 without Content-Range', 206, {}],
    ['416', 416, {}],
  ])('case 6: begins again after %s', async (_name, status, headers) => {
    registry.addImage('a', '1', [big]);
    registry.script('GET', path, ({ send }) => send(status, headers as Record<string, string>, 'x'));
    registry.script('GET', path, ({ cut }) => cut(200, big.blob, 1_000_000));
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(1);
    expect(registry.seen('GET', path)[2]?.headers['range']).toBeUndefined();
  });

  it('case 4: gives up after five tries that brought nothing, and keeps what came for the next pull', async () => {
    registry.addImage('a', '1', [big]);
    registry.script('GET', path, ({ response }) => void response.destroy(), 5);
    registry.script('GET', path, ({ cut }) => cut(200, big.blob, 2_000_000));
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(bench.left()).toHaveLength(1);
    expect(bench.sink.layers.size).toBe(0);
    const before = registry.seen('GET', path).length;
    await bench.pull(`${registry.host}/a:1`);
    expect(String(registry.seen('GET', path)[before]?.headers['range'])).toMatch(/^bytes=1[5-9]\d{5}-$/);
    expect(bench.left()).toEqual([]);
  });
});

describe('content that does not match its digest', () => {
  it('case 5: of a layer is refused, and nothing of it stays', async () => {
    const { blob } = layer('one');
    registry.addImage('a', '1', [layer('zero'), layer('one')]);
    const bad = gzipSync('oNe');
    registry.script('GET', new RegExp(sha256(blob)), ({ send }) => send(200, {}, bad.subarray(0, blob.length)));
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toMatchObject({ kind: 'invalid' });
    expect(bench.sink.layers.size).toBe(0);
    expect(bench.sink.images.size).toBe(0);
    expect(bench.left()).toEqual([]);
  });

  it('case 5: that is longer than announced is refused at once', async () => {
    const { blob } = layer('one');
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', new RegExp(sha256(blob)), ({ send }) => send(200, {}, Buffer.concat([blob, blob])));
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toThrow(/longer than the \d+ bytes announced/);
    expect(bench.left()).toEqual([]);
  });

  it('case 5: of a manifest by digest is refused', async () => {
    const { digest } = registry.addImage('a', '1', [layer('one')]);
    registry.addImage('a', '2', [layer('two')]);
    const other = registry.manifests.get('a:2');
    registry.script('GET', /manifests/, ({ send }) => send(200, { 'Content-Type': other!.type }, other!.bytes));
    await expect(bench.pull(`${registry.host}/a@${digest}`)).rejects.toThrow(/does not match its digest/);
  });

  it('case 5: of a manifest by tag is refused when Docker-Content-Digest says another', async () => {
    registry.addImage('a', '1', [layer('one')]);
    const { bytes, type } = registry.manifests.get('a:1')!;
    const headers = { 'Content-Type': type, 'Docker-Content-Digest': sha256('other') };
    registry.script('GET', /manifests/, ({ send }) => send(200, headers, bytes));
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toThrow(/does not match its digest/);
  });

  it('case 5: of a download that an earlier process left is fetched again', async () => {
    const big = layer(bigText);
    registry.addImage('a', '1', [big]);
    const { writeFileSync } = await import('node:fs');
    const { join } = await import('node:path');
    const spoilt = Buffer.from(big.blob.subarray(0, 2_000_000));
    spoilt.fill(0, 1000, 2000);
    writeFileSync(join(bench.folder, `${sha256(big.blob).replace(':', '-')}.part`), spoilt);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(1);
  });
});

describe('layers of all forms', () => {
  const text = 'content of a layer';
  const diffId = sha256(text);
  const half = text.length / 2;

  it.each([
    ['gzip', gzipSync(text)],
    ['gzip of several members', Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half))])],
    ['zstd', zstdCompressSync(text)],
    ['zstd with skippable frames', zstdChunked(text)],
    ['no compression', Buffer.from(text)],
  ])('case 10: takes %s, whatever its media type says', async (_name, blob) => {
    for (const mediaType of [
      mediaTypes.ociLayer,
      mediaTypes.ociLayerGzip,
      mediaTypes.ociLayerZstd,
      mediaTypes.dockerLayer,
    ]) {
      registry.addImage('a', '1', [{ blob, diffId, mediaType }]);
      bench.sink.layers.clear();
      await bench.pull(`${registry.host}/a:1`);
      expect([...bench.sink.layers.values()].map(String)).toEqual([text]);
    }
  });

  it('case 22: takes a layer of zero bytes', async () => {
    registry.addImage('a', '1', [{ blob: Buffer.alloc(0), diffId: sha256(''), mediaType: mediaTypes.ociLayer }]);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(1);
  });

  it('case 21: takes blobs named by sha512', async () => {
    const { blob, diffId: id } = layer('one');
    registry.addImage('a', '1', [{ blob, diffId: id }]);
    const manifest = JSON.parse(registry.manifests.get('a:1')!.bytes.toString());
    manifest.layers[0].digest = sha512(blob);
    registry.blobs.set(`a@${sha512(blob)}`, blob);
    registry.addManifest('a', '1', manifest);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(1);
  });

  it('case 16: refuses a layer whose content is not what the config says', async () => {
    registry.addImage('a', '1', [layer('zero'), { blob: gzipSync('one'), diffId: sha256('two') }]);
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toMatchObject({ kind: 'invalid' });
    expect(bench.sink.layers.size).toBe(0);
    expect(bench.left()).toEqual([]);
  });
});

describe('two pulls at once', () => {
  it('case 20: download and unpack a layer once', async () => {
    const big = layer(bigText);
    registry.addImage('a', '1', [big]);
    registry.addImage('a', '2', [big, layer('two')]);
    await Promise.all([bench.pull(`${registry.host}/a:1`), bench.pull(`${registry.host}/a:2`)]);
    expect(registry.seen('GET', new RegExp(sha256(big.blob)))).toHaveLength(1);
    expect(bench.sink.applied).toBe(2);
    expect(bench.left()).toEqual([]);
  });

  it('case 20: go on when one of them is cancelled', async () => {
    const big = layer(bigText);
    registry.addImage('a', '1', [big]);
    const controller = new AbortController();
    registry.script('GET', new RegExp(sha256(big.blob)), async ({ usual }) => {
      controller.abort();
      await usual();
    });
    const [first, second] = await Promise.allSettled([
      bench.pull(`${registry.host}/a:1`, { signal: controller.signal }),
      bench.pull(`${registry.host}/a:1`),
    ]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
    expect(bench.sink.layers.size).toBe(1);
  });
});

describe('a tag that moves', () => {
  it('case 17: does not mix two images', async () => {
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', /blobs/, async ({ usual }) => {
      registry.addImage('a', '1', [layer('two')]);
      await usual();
    });
    await bench.pull(`${registry.host}/a:1`);
    expect([...bench.sink.layers.values()].map(String)).toEqual(['one']);
  });
});

describe('what is no image', () => {
  it('case 12: refuses artifacts by their kind, without fetching them', async () => {
    const config = registry.addBlob('a', Buffer.from('{}'), 'application/vnd.cncf.helm.config.v1+json');
    registry.addManifest('a', '1', { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] });
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('application/vnd.cncf.helm.config.v1+json'),
    });
    expect(registry.seen('GET', /blobs/)).toEqual([]);
  });

  it('case 8: does not fetch layers that lie elsewhere', async () => {
    const other = await FakeRegistry.start();
    const { blob, diffId } = layer('one');
    registry.addImage('a', '1', [
      { blob, diffId, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' },
    ]);
    const manifest = JSON.parse(registry.manifests.get('a:1')!.bytes.toString());
    manifest.layers[0].urls = [`${other.origin}/layer`];
    registry.addManifest('a', '1', manifest);
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toMatchObject({ kind: 'unsupported' });
    expect(other.requests).toEqual([]);
    await other.close();
  });

  it('case 8: asks the registry itself for an ordinary layer that has urls', async () => {
    const other = await FakeRegistry.start();
    registry.addImage('a', '1', [layer('one')]);
    const manifest = JSON.parse(registry.manifests.get('a:1')!.bytes.toString());
    manifest.layers[0].urls = [`${other.origin}/layer`];
    registry.addManifest('a', '1', manifest);
    await bench.pull(`${registry.host}/a:1`);
    expect(other.requests).toEqual([]);
    await other.close();
  });
});

describe('documents without end', () => {
  it('case 13: stops reading a manifest after 4 MiB', async () => {
    let sent = 0;
    registry.script('GET', /manifests/, async ({ response }) => {
      response.writeHead(200, { 'Content-Type': mediaTypes.ociManifest });
      while (!response.destroyed && sent < 64 << 20) {
        sent += 1 << 20;
        if (!response.write(Buffer.alloc(1 << 20, 0x20)))
          await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
      }
    });
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toThrow(/larger than 4194304 bytes/);
    expect(sent).toBeLessThan(32 << 20);
  });

  it('case 13: does not fetch a config of more than 8 MiB', async () => {
    registry.addImage('a', '1', [layer('one')]);
    const manifest = JSON.parse(registry.manifests.get('a:1')!.bytes.toString());
    manifest.config.size = 9 << 20;
    registry.addManifest('a', '1', manifest);
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toThrow(/config of .* is larger than/);
    expect(registry.seen('GET', /blobs/)).toEqual([]);
  });
});

describe('platforms', () => {
  it('takes the image of an index that suits, and names the index’s digest', async () => {
    const arm = registry.addImage('a', 'arm', [layer('arm')], { architecture: 'arm64' });
    const amd = registry.addImage('a', 'amd', [layer('amd')]);
    const index = registry.addManifest('a', '1', {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [
        { ...arm, platform: { os: 'linux', architecture: 'arm64' } },
        { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
      ],
    });
    await bench.pull(`${registry.host}/a:1`);
    expect([...bench.sink.layers.values()].map(String)).toEqual(['amd']);
    expect(bench.statuses()).toContain(`Digest: ${index.digest}`);
    const platform = { os: 'linux', architecture: 's390x' };
    await expect(bench.pull(`${registry.host}/a:1`, { platform })).rejects.toMatchObject({
      kind: 'not-found',
      hint: 'there is linux/arm64, linux/amd64',
    });
  });

  it('is not content with another platform than the one asked for', async () => {
    registry.addImage('a', '1', [layer('one')]);
    const platform = { os: 'linux', architecture: 'arm64' };
    await expect(bench.pull(`${registry.host}/a:1`, { platform, isPlatformFixed: true })).rejects.toThrow(
      /wanted linux\/arm64, actual: linux\/amd64/,
    );
    await bench.pull(`${registry.host}/a:1`, { platform });
  });
});

describe('the client', () => {
  it('tells of what a name stands for without its content', async () => {
    const { digest, size } = registry.addImage('a', '1', [layer('one')]);
    const found = await bench.client.headManifest(parseReference(`${registry.host}/a:1`));
    expect(found).toEqual({ mediaType: mediaTypes.ociManifest, digest, size });
    expect(await bench.client.headManifest(parseReference(`${registry.host}/a:2`))).toBeUndefined();
  });
});

/** eStargz and zstd:chunked hide their table in frames that every reader skips. */
function zstdChunked(text: string): Buffer {
  const skippable = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0]), Buffer.from('info')]);
  return Buffer.concat([zstdCompressSync(text), skippable]);
}
