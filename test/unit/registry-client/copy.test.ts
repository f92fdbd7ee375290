import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as berth from '../../../src/index.ts';
import { type Descriptor, mediaTypes, parseReference, sha256 } from '../../../src/oci/index.ts';
import {
  copyImage,
  createRegistryClient,
  type RegistryClient,
  type RegistryConfig,
  registrySource,
  registryTarget,
} from '../../../src/registry-client/index.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../support/fake-registry.ts';

let folder: string;
const registries: FakeRegistry[] = [];
const clients: RegistryClient[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-copy-'));
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(registries.splice(0).map((registry) => registry.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(options?: FakeRegistryOptions): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start(options);
  registries.push(registry);
  return registry;
}

function open(config: RegistryConfig = {}): RegistryClient {
  const client = createRegistryClient({
    config,
    userAgent: 'test',
    now: () => 0,
    uploadChunkBytes: 64 * 1024,
    retry: { sleep: async () => {}, random: () => 0 },
  });
  clients.push(client);
  return client;
}

function addIndex(registry: FakeRegistry, extra: readonly Descriptor[] = []): Descriptor {
  const image = (name: string) => registry.addImage('app', name, [{ blob: Buffer.from(name), diffId: sha256(name) }]);
  const entries = ['amd64', 'arm64'].map((architecture) => ({
    ...image(architecture),
    platform: { os: 'linux', architecture },
  }));
  const manifests = [...entries, ...extra];
  return registry.addManifest('app', 'all', { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
}

function copy(client: RegistryClient, from: string, to: string, options = {}) {
  return copyImage(registrySource(client, parseReference(from)), registryTarget(client, parseReference(to)), options);
}

describe('copyImage', () => {
  it('keeps an index with all that is in it, nested indexes and blobs, too', async () => {
    const [from, to] = [await start(), await start()];
    const inner = addIndex(from);
    const cache = from.addBlob('app', randomBytes(100), mediaTypes.dockerLayer);
    const manifests = [inner, cache];
    const outer = from.addManifest('app', 'outer', { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
    const { digest } = await copy(open(), `${from.host}/app:outer`, `${to.host}/other:1`);
    expect(digest).toBe(outer.digest);
    const names = [...from.manifests.keys()].filter((key) => key.includes('@sha256:') || /:sha256:/.test(key));
    for (const name of names) {
      expect(to.manifests.get(name.replace('app:', 'other:'))?.bytes).toEqual(from.manifests.get(name)?.bytes);
    }
    expect(to.blobs.size).toBe(from.blobs.size);
  });

  it('case 12: keeps an artifact that nobody can run', async () => {
    const [from, to] = [await start(), await start()];
    const config = from.addBlob('app', Buffer.from('{}'), 'application/vnd.cncf.helm.config.v1+json');
    const chart = from.addBlob('app', randomBytes(100), 'application/vnd.cncf.helm.chart.content.v1.tar+gzip');
    const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [chart] };
    const { digest } = from.addManifest('app', 'chart', document);
    expect((await copy(open(), `${from.host}/app:chart`, `${to.host}/app:chart`)).digest).toBe(digest);
    expect(to.blobs).toEqual(from.blobs);
  });

  it('sends children before the index, and the name last', async () => {
    const [from, to] = [await start(), await start()];
    addIndex(from);
    await copy(open(), `${from.host}/app:all`, `${to.host}/app:1`);
    const puts = to.seen('PUT', /manifests/).map(({ url }) => url.split('/').at(-1));
    expect(puts).toHaveLength(3);
    expect(puts.at(-1)).toBe('1');
    const last = to.requests.findLastIndex(({ url }) => /blobs\/uploads/.test(url));
    expect(to.requests.findIndex(({ method, url }) => method === 'PUT' && url.endsWith('/1'))).toBeGreaterThan(last);
  });

  it('goes on when both sides break their connections', async () => {
    const [from, to] = [await start(), await start()];
    const blob = randomBytes(1_000_000);
    from.addImage('app', '1', [{ blob, diffId: sha256(blob) }]);
    from.script('GET', new RegExp(sha256(blob)), ({ cut }) => cut(200, blob, 300_001));
    to.script('PATCH', /uploads/, ({ response }) => void response.destroy(), 2);
    await copy(open(), `${from.host}/app:1`, `${to.host}/app:1`);
    expect(to.blobs.get(`app@${sha256(blob)}`)?.equals(blob)).toBe(true);
    // One request, one that goes on, and few for what has to be sent again.
    expect(from.seen('GET', new RegExp(sha256(blob))).length).toBeLessThanOrEqual(5);
  });

  it('stores nothing under the name when a blob is wrong', async () => {
    const [from, to] = [await start(), await start()];
    const blob = randomBytes(100_000);
    from.addImage('app', '1', [{ blob, diffId: sha256(blob) }]);
    const wrong = Buffer.from(blob);
    wrong[99_999] = (wrong[99_999] ?? 0) ^ 1;
    from.script('GET', new RegExp(sha256(blob)), ({ send }) => send(200, {}, wrong), 10);
    const copying = copy(open(), `${from.host}/app:1`, `${to.host}/app:1`);
    await expect(copying).rejects.toMatchObject({ kind: 'invalid' });
    expect(to.manifests.size).toBe(0);
    const layout = berth.layoutTarget({ folder: join(folder, 'l') }, 'l');
    const source = registrySource(open(), parseReference(`${from.host}/app:1`));
    await expect(copyImage(source, layout)).rejects.toMatchObject({ kind: 'invalid' });
    const left = readdirSync(folder, { recursive: true }).map(String);
    expect(left.filter((path) => path.includes('tmp') || path.includes(sha256(blob).slice(7)))).toEqual([]);
    expect(left).not.toContain('l/index.json');
  });

  it('mounts what the same registry has, and sends nothing', async () => {
    const registry = await start();
    addIndex(registry);
    await copy(open(), `${registry.host}/app:all`, `${registry.host}/other:1`);
    expect(registry.seen('GET', /blobs\/sha256/)).toHaveLength(0);
    expect(registry.seen('PATCH', /./)).toHaveLength(0);
    expect(registry.manifests.has('other:1')).toBe(true);
  });

  it('takes one platform as an image, and several as an index of them with what attests them', async () => {
    const [from, to] = [await start(), await start()];
    const image = from.addImage('app', 'amd64', [{ blob: Buffer.from('amd64'), diffId: sha256('amd64') }]);
    const attestation = from.addImage('app', 'attestation', []);
    const annotations = (digest: string) => ({
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': digest,
    });
    addIndex(from, [{ ...attestation, annotations: annotations(image.digest) }]);
    const linux = (architecture: string) => ({ os: 'linux', architecture });
    const one = await copy(open(), `${from.host}/app:all`, `${to.host}/app:1`, { platforms: [linux('amd64')] });
    expect(one.digest).toBe(image.digest);
    await copy(open(), `${from.host}/app:all`, `${to.host}/app:2`, { platforms: [linux('amd64'), linux('arm64')] });
    const index = JSON.parse(to.manifests.get('app:2')?.bytes.toString('utf8') ?? '') as { manifests: unknown[] };
    expect(index.manifests).toHaveLength(3);
    const missing = copy(open(), `${from.host}/app:all`, `${to.host}/app:3`, { platforms: [linux('s390x')] });
    await expect(missing).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('case 8: leaves foreign layers where they are, unless they are wanted', async () => {
    const [from, to] = [await start(), await start()];
    const layer = Buffer.from('foreign');
    const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
    from.addImage('app', '1', [{ blob: layer, diffId: sha256(layer), mediaType }]);
    await copy(open(), `${from.host}/app:1`, `${to.host}/app:1`);
    expect(to.blobs.has(`app@${sha256(layer)}`)).toBe(false);
    await copy(open({ allowForeignLayers: true }), `${from.host}/app:1`, `${to.host}/wanted:1`);
    expect(to.blobs.has(`wanted@${sha256(layer)}`)).toBe(true);
  });

  it('case 8: never asks inner addresses or plain http for layers from elsewhere', async () => {
    const [registry, inner] = [await start(), await start()];
    const blob: Descriptor = { mediaType: mediaTypes.ociLayer, digest: sha256('x'), size: 1 };
    const client = open({ allowForeignLayers: true });
    const name = { registry: registry.host, repository: 'app' };
    for (const url of [`${inner.origin}/x`, `https://${inner.host}/x`, 'https://169.254.169.254/x', 'file:///etc/x']) {
      const reading = client
        .fetchBlob(name, { ...blob, urls: [url] })
        [Symbol.asyncIterator]()
        .next();
      await expect(reading).rejects.toMatchObject({ kind: 'forbidden' });
    }
    expect(inner.requests).toHaveLength(0);
  });
});

describe('referrers', () => {
  const artifact = (subject: Descriptor, artifactType: string, config: Descriptor) => ({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType,
    config,
    layers: [],
    subject,
    annotations: { about: artifactType },
  });

  it.each([undefined, 'plain', 'filtering'] as const)(
    'are listed and copied with a registry that has the API: %s',
    async (api) => {
      const [registry, other] = [await start(api ? { referrers: api } : {}), await start()];
      const image = registry.addImage('app', '1', [{ blob: Buffer.from('x'), diffId: sha256('x') }]);
      const config = registry.addBlob('app', Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
      const client = open();
      const name = { registry: registry.host, repository: 'app' };
      const put = async (type: string) => {
        const bytes = Buffer.from(JSON.stringify(artifact(image, type, config)));
        const reference = { ...name, digest: sha256(bytes) };
        await client.putManifest(reference, { bytes, mediaType: mediaTypes.ociManifest });
      };
      await Promise.all(['a/one', 'a/two', 'a/three'].map(put));
      await put('a/one');
      const subject = { ...name, digest: image.digest };
      const types = (await client.listReferrers(subject)).map(({ artifactType }) => artifactType);
      expect(types.sort()).toEqual(['a/one', 'a/three', 'a/two']);
      const [two, ...more] = await client.listReferrers(subject, { artifactType: 'a/two' });
      expect(more).toEqual([]);
      expect(two?.annotations).toEqual({ about: 'a/two' });
      const tag = `app:${image.digest.replace(':', '-')}`;
      expect(registry.manifests.has(tag)).toBe(api === undefined);

      await copy(client, `${registry.host}/app:1`, `${other.host}/app:1`, { referrers: true });
      expect(await client.listReferrers({ ...subject, registry: other.host })).toHaveLength(3);

      await client.deleteManifest({ ...name, digest: two?.digest ?? image.digest });
      expect(await client.listReferrers(subject)).toHaveLength(2);
    },
  );

  it('survive another writer of the fallback tag', async () => {
    const registry = await start();
    const image = registry.addImage('app', '1', [{ blob: Buffer.from('x'), diffId: sha256('x') }]);
    const config = registry.addBlob('app', Buffer.from('{}'));
    const tag = image.digest.replace(':', '-');
    // Another process reads before and writes after us.
    registry.script('PUT', new RegExp(tag), async ({ usual }) => {
      await usual();
      registry.addManifest('app', tag, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [config] });
    });
    const bytes = Buffer.from(JSON.stringify(artifact(image, 'a/b', config)));
    const name = { registry: registry.host, repository: 'app' };
    const client = open();
    await client.putManifest({ ...name, digest: sha256(bytes) }, { bytes, mediaType: mediaTypes.ociManifest });
    const digests = (await client.listReferrers({ ...name, digest: image.digest })).map(({ digest }) => digest);
    expect(digests).toEqual([config.digest, sha256(bytes)]);
  });
});

describe('the library', () => {
  it('copies an image as its documentation says', async () => {
    const registry = await start();
    addIndex(registry);
    const client = berth.createRegistryClient({ userAgent: 'mine/1', now: Date.now });
    const source = berth.registrySource(client, berth.parseReference(`${registry.host}/app:all`));
    const target = berth.layoutTarget({ folder, tag: '1' }, 'app');
    const { digest } = await berth.copyImage(source, target, { referrers: true });
    const signatures = await client.listReferrers({ registry: registry.host, repository: 'app', digest });
    client.close();
    expect(signatures).toEqual([]);
    const again = await berth
      .layoutSource({ folder, tag: '1' }, 'app')
      .getDocument(undefined, new AbortController().signal);
    expect(again.digest).toBe(digest);
  });
});
