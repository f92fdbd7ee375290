import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { mediaTypes, parseReference, sha256 } from '../../../src/oci/index.ts';
import type { Credentials, RegistryClientOptions } from '../../../src/registry-client/index.ts';
import { estargz, zstdChunked } from '../../support/chunked-layers.ts';
import { FakeProxy } from '../../support/fake-proxy.ts';
import { FakeRegistry, type FakeRegistryOptions, type Stage, sha512 } from '../../support/fake-registry.ts';
import { layer, PullBench } from '../../support/registry-sink.ts';
import { selfSigned } from '../../support/self-signed.ts';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const dispose of cleanUp.splice(0)) await dispose();
});

const alice: Credentials = { kind: 'password', username: 'alice', password: 'swordfish' };

async function start(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start(options);
  cleanUp.push(() => registry.close());
  return registry;
}

function bench(options: Partial<RegistryClientOptions> = {}): PullBench {
  const made = new PullBench({ keychain: { find: async () => alice }, ...options });
  cleanUp.push(() => made.dispose());
  return made;
}

/** Sends without end until the other side has had enough. @returns a counter of what was given to the connection */
function endless(status = 200): { readonly script: (stage: Stage) => Promise<void>; readonly sent: () => number } {
  let sent = 0;
  const piece = Buffer.alloc(256 << 10, 0x20);
  return {
    sent: () => sent,
    async script({ response }) {
      response.writeHead(status, { 'Content-Type': mediaTypes.ociManifest });
      const ended = new Promise((resolve) => response.once('close', resolve));
      while (!response.destroyed && sent < 256 << 20) {
        sent += piece.length;
        if (!response.write(piece)) await Promise.race([ended, once(response, 'drain')]);
      }
    },
  };
}

/** What sockets of both sides hold when the reader stops. */
const BUFFERS = 16 << 20;

function edit(registry: FakeRegistry, change: (manifest: { readonly layers: readonly object[] }) => void): void {
  const manifest = JSON.parse(registry.manifests.get('a:1')!.bytes.toString('utf8'));
  change(manifest);
  registry.addManifest('a', '1', manifest);
}

describe('a redirect', () => {
  const target = new RegExp(sha256(layer('one').blob));

  it.each(['127.0.0.1', 'localhost'])('case 7: to another port of %s gets no credentials', async (name) => {
    const [registry, storage] = [await start({ password: 'swordfish' }), await start()];
    registry.addImage('a', '1', [layer('one')]);
    const place = `http://${storage.host.replace('127.0.0.1', name)}/object`;
    registry.script('GET', target, ({ send }) => send(307, { Location: place }));
    storage.script('GET', /object/, ({ send }) => send(200, {}, layer('one').blob));
    await bench().pull(`${registry.host}/a:1`);
    expect(storage.requests).toHaveLength(1);
    expect(storage.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  it('case 7: that comes back to the first host through another one brings no credentials back', async () => {
    const [registry, storage] = [await start({ password: 'swordfish' }), await start()];
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', target, ({ send }) => send(307, { Location: `${storage.origin}/object` }));
    storage.script('GET', /object/, ({ send }) => send(307, { Location: `${registry.origin}/back` }));
    registry.script('GET', /back/, ({ send }) => send(200, {}, layer('one').blob));
    await bench().pull(`${registry.host}/a:1`);
    expect(registry.seen('GET', /back/)[0]?.authorization).toBeUndefined();
  });

  it('case 7: from https to plain http is refused, and nobody is asked there', async () => {
    const [registry, storage] = [await start({ tls: selfSigned }), await start()];
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', target, ({ send }) => send(307, { Location: `${storage.origin}/object` }), 9);
    await expect(bench().pull(`${registry.host}/a:1`)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('redirects from https to plain http'),
    });
    expect(storage.requests).toEqual([]);
  });
});

describe('a layer that lies elsewhere', () => {
  const { blob, diffId } = layer('one');
  const foreign = { blob, diffId, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' };

  async function withUrls(urls: readonly string[]): Promise<FakeRegistry> {
    const registry = await start({ password: 'swordfish' });
    registry.addImage('a', '1', [foreign]);
    edit(registry, ({ layers }) => Object.assign(layers[0]!, { urls }));
    registry.blobs.delete(`a@${sha256(blob)}`);
    return registry;
  }

  it('case 8: is fetched where that is allowed, without credentials', async () => {
    const store = await start({ tls: selfSigned });
    const proxy = await FakeProxy.start(store.host);
    cleanUp.push(() => proxy.close());
    store.script('GET', /layer/, ({ send }) => send(200, {}, blob));
    const registry = await withUrls(['https://u:pw@layers.example/layer']);
    const made = bench({
      config: { allowForeignLayers: true, rules: [{ prefix: 'layers.example', insecure: true }] },
      env: { HTTPS_PROXY: proxy.host },
    });
    await made.pull(`${registry.host}/a:1`);
    expect(proxy.requests).toEqual(['CONNECT layers.example:443']);
    expect(store.requests.map(({ url, authorization }) => [url, authorization])).toEqual([['/layer', undefined]]);
  });

  it.each(['http://layers.example/layer', 'https://127.0.0.1/layer', 'https://169.254.169.254/layer', 'file:///x'])(
    'case 8: is not fetched from %s',
    async (url) => {
      const registry = await withUrls([url]);
      const made = bench({ config: { allowForeignLayers: true } });
      await expect(made.pull(`${registry.host}/a:1`)).rejects.toMatchObject({ kind: 'forbidden' });
      expect(made.sink.layers.size).toBe(0);
    },
  );
});

describe('a layer in a form made for lazy pulling', () => {
  const files = { 'bin/tool': 'x'.repeat(5000), 'etc/conf': 'a=1\n' };

  it.each([
    ['eStargz', estargz(files)],
    ['zstd:chunked', zstdChunked(files)],
  ])('case 11: %s is read as the plain layer that it is, too', async (_name, made) => {
    const registry = await start();
    registry.addImage('a', '1', [made]);
    const one = bench();
    await one.pull(`${registry.host}/a:1`);
    expect([...one.sink.layers.values()]).toEqual([made.tar]);
  });
});

describe('what is no image', () => {
  it.each(['application/vnd.oci.empty.v1+json', 'application/vnd.example.unknown', ''])(
    'case 12: a config of the kind %j is refused by its kind',
    async (mediaType) => {
      const registry = await start();
      const config = registry.addBlob('a', Buffer.from('{}'), mediaType);
      registry.addManifest('a', '1', { schemaVersion: 2, config, layers: [] });
      const made = bench();
      await expect(made.pull(`${registry.host}/a:1`)).rejects.toMatchObject({
        kind: 'unsupported',
        message: expect.stringContaining('is not an image'),
      });
      expect(made.sink.images.size).toBe(0);
      expect(await made.client.getManifest(parseReference(`${registry.host}/a:1`))).toBeDefined();
    },
  );
});

describe('an answer without end', () => {
  it.each([
    ['a manifest', 200, 4 << 20, /manifests/],
    ['a token', 200, 1 << 20, /^\/token/],
    ['an error', 403, 64 << 10, /manifests/],
  ])('case 13: of %s is not read further than its limit', async (_what, status, limit, path) => {
    const registry = await start({ password: 'swordfish' });
    registry.addImage('a', '1', [layer('one')]);
    const { script, sent } = endless(status);
    registry.script('GET', path, script);
    await expect(bench().pull(`${registry.host}/a:1`)).rejects.toThrow();
    expect(sent()).toBeLessThan(limit + BUFFERS);
  });

  it('case 13: of a config is not read further than the manifest said', async () => {
    const registry = await start();
    registry.addImage('a', '1', [layer('one')]);
    const { script, sent } = endless();
    registry.script('GET', /blobs/, script);
    await expect(bench().pull(`${registry.host}/a:1`)).rejects.toThrow(/longer than the \d+ bytes announced/);
    expect(sent()).toBeLessThan(BUFFERS);
  });
});

describe('a tag that moves', () => {
  it('case 17: between an index and its manifest does not mix two images', async () => {
    const registry = await start();
    const entry = registry.addImage('a', 'amd', [layer('one')]);
    const platform = { os: 'linux', architecture: 'amd64' };
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [{ ...entry, platform }] };
    const { digest } = registry.addManifest('a', '1', index);
    registry.script('GET', new RegExp(`manifests/${entry.digest}`), async ({ usual }) => {
      registry.addImage('a', '1', [layer('two')]);
      await usual();
    });
    const made = bench();
    await made.pull(`${registry.host}/a:1`);
    expect([...made.sink.layers.values()].map(String)).toEqual(['one']);
    expect(made.statuses()).toContain(`Digest: ${digest}`);
  });
});

describe('a realm', () => {
  it('case 18: on plain http gets no password of a registry with TLS', async () => {
    const [registry, realm] = [await start({ tls: selfSigned }), await start({ password: 'swordfish' })];
    const header = { 'WWW-Authenticate': `Bearer realm="${realm.origin}/token",service="s"` };
    registry.script('GET', /./, ({ send }) => send(401, header), 9);
    await expect(bench().pull(`${registry.host}/a:1`)).rejects.toMatchObject({ kind: 'forbidden' });
    expect(realm.requests).toEqual([]);
  });

  it('case 18: that redirects to another host brings it no password', async () => {
    const [registry, other] = [await start({ password: 'swordfish' }), await start({ password: 'swordfish' })];
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', /^\/token/, ({ request, send }) => send(307, { Location: `${other.origin}${request.url}` }));
    await expect(bench().pull(`${registry.host}/a:1`)).rejects.toMatchObject({ kind: 'unauthorized' });
    expect(other.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });
});

describe('digests of sha512', () => {
  it('case 21: name manifests, too, and are checked', async () => {
    const registry = await start();
    registry.addImage('a', '1', [layer('one')]);
    const { bytes, type } = registry.manifests.get('a:1')!;
    const digest = sha512(bytes);
    registry.manifests.set(`a:${digest}`, { bytes, type });
    const made = bench();
    await made.pull(`${registry.host}/a@${digest}`);
    expect(made.sink.layers.size).toBe(1);
    registry.manifests.set(`a:${digest}`, { bytes: Buffer.concat([bytes, Buffer.from(' ')]), type });
    await expect(made.pull(`${registry.host}/a@${digest}`)).rejects.toThrow(/does not match its digest/);
  });

  it('case 21: of a layer are checked', async () => {
    const registry = await start();
    registry.addImage('a', '1', [layer('one')]);
    const digest = sha512(layer('two').blob);
    edit(registry, ({ layers }) => Object.assign(layers[0]!, { digest }));
    registry.blobs.set(`a@${digest}`, layer('one').blob);
    const made = bench();
    await expect(made.pull(`${registry.host}/a:1`)).rejects.toThrow(/does not match its digest/);
    expect(made.left()).toEqual([]);
  });
});

describe('the list of failure cases', () => {
  const folders = ['../../unit/registry-client', '../../integration/registry-client'];
  const titles = folders.flatMap((folder) => {
    const path = fileURLToPath(new URL(folder, import.meta.url));
    const files = readdirSync(path).filter((name) => name.endsWith('.test.ts'));
    return files.flatMap((name) => [...readFileSync(`${path}/${name}`, 'utf8').matchAll(/'case (\d+): /g)]);
  });

  it('has a test for each of its 25', () => {
    const numbers = new Set(titles.map(([, number]) => Number(number)));
    expect(Array.from({ length: 25 }, (_, index) => index + 1).filter((number) => !numbers.has(number))).toEqual([]);
  });
});
