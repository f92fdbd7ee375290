import { afterEach, describe, expect, it } from 'vitest';
import { mediaTypes, parseReference, sha256 } from '../../../src/oci/index.ts';
import type { Credentials, Keychain } from '../../../src/registry-client/index.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../support/fake-registry.ts';
import { layer, PullBench } from '../../support/registry-sink.ts';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const dispose of cleanUp.splice(0)) await dispose();
});

async function start(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start(options);
  cleanUp.push(() => registry.close());
  return registry;
}

function benchFor(registry: FakeRegistry | undefined, credentials?: Credentials): PullBench {
  const keychain: Keychain = { find: async (host) => (host === registry?.host ? credentials : undefined) };
  const bench = new PullBench({ keychain });
  cleanUp.push(() => bench.dispose());
  return bench;
}

const alice: Credentials = { kind: 'password', username: 'alice', password: 'swordfish' };

describe('a registry with Basic', () => {
  it('gets user and password', async () => {
    const registry = await start({ password: 'swordfish', scheme: 'basic' });
    registry.addImage('a', '1', [layer('one')]);
    const bench = benchFor(registry, alice);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(1);
  });

  it('refuses who has none, in docker’s words', async () => {
    const registry = await start({ password: 'swordfish', scheme: 'basic' });
    const bench = benchFor(registry);
    await expect(bench.pull(`${registry.host}/a:1`)).rejects.toMatchObject({
      kind: 'not-found',
      message: expect.stringMatching(/^pull access denied for .*\/a, repository does not exist or may require/),
    });
  });
});

describe('a registry with tokens', () => {
  it('gets one token for all of a pull', async () => {
    const registry = await start({ password: 'swordfish' });
    registry.addImage('a', '1', [layer('one'), layer('two')]);
    const bench = benchFor(registry, alice);
    await bench.pull(`${registry.host}/a:1`);
    const tokens = registry.seen('GET', /^\/token/);
    expect(tokens).toHaveLength(1);
    const query = new URL(tokens[0]!.url, registry.origin).searchParams;
    expect([query.get('service'), query.get('scope')]).toEqual(['fake', 'repository:a:pull']);
    const others = registry.requests.filter(({ url }) => !url.startsWith('/token'));
    expect(others.every(({ authorization }) => !authorization || authorization.startsWith('Bearer '))).toBe(true);
  });

  it('exchanges an identity token by OAuth2', async () => {
    const registry = await start({ password: 'refresh-me' });
    registry.addImage('a', '1', [layer('one')]);
    await benchFor(registry, { kind: 'identity', token: 'refresh-me' }).pull(`${registry.host}/a:1`);
    const [exchange] = registry.seen('POST', /^\/token/);
    expect(exchange?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(exchange?.url).toBe('/token');
  });

  it('may be used without a name', async () => {
    const registry = await start();
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', /^\/v2\//, ({ send }) =>
      send(401, { 'WWW-Authenticate': `Bearer realm="${registry.origin}/token",service="s"` }),
    );
    registry.script('GET', /^\/token/, ({ request, send }) =>
      send(request.headers.authorization ? 401 : 200, {}, JSON.stringify({ access_token: 'anybody' })),
    );
    await benchFor(registry).pull(`${registry.host}/a:1`);
    expect(registry.seen('GET', /manifests/)[0]?.authorization).toBe('Bearer anybody');
  });

  it('renews a token before it ends, and takes 60 seconds when nothing is said', async () => {
    const registry = await start({ password: 'swordfish' });
    const bench = benchFor(registry, alice);
    const look = () => bench.client.headManifest(parseReference(`${registry.host}/a:1`));
    await look();
    bench.clock += 50_000;
    await look();
    expect(registry.seen('GET', /^\/token/)).toHaveLength(1);
    bench.clock += 6000;
    await look();
    expect(registry.seen('GET', /^\/token/)).toHaveLength(2);
    registry.tokenSeconds = 3600;
    bench.clock += 60_000;
    await look();
    bench.clock += 3_500_000;
    await look();
    expect(registry.seen('GET', /^\/token/)).toHaveLength(3);
  });

  it('says what is wrong with a password, and never the password', async () => {
    const registry = await start({ password: 'other' });
    const failure = await benchFor(registry, alice)
      .pull(`${registry.host}/a:1`)
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ kind: 'unauthorized' });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toMatch(/swordfish|YWxpY2U/);
  });

  it('case 1: gets a new one when the registry does not take it any more, once', async () => {
    const registry = await start({ password: 'swordfish' });
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', /blobs/, async ({ usual }) => {
      registry.tokens.clear();
      await usual();
    });
    await benchFor(registry, alice).pull(`${registry.host}/a:1`);
    expect(registry.seen('GET', /^\/token/)).toHaveLength(2);
  });

  it('case 13: stops reading a reply of more than 1 MiB', async () => {
    const registry = await start({ password: 'swordfish' });
    registry.script('GET', /^\/token/, ({ send }) => send(200, {}, Buffer.alloc(2 << 20, 0x20)));
    await expect(benchFor(registry, alice).pull(`${registry.host}/a:1`)).rejects.toThrow(/larger than 1048576 bytes/);
  });
});

describe('a realm that must not have the password', () => {
  const challenge = (realm: string) => ({ 'WWW-Authenticate': `Bearer realm="${realm}",service="s"` });

  it.each([
    ['the metadata service', 'http://169.254.169.254/token'],
    ['what is no web address', 'file:///etc/passwd'],
    ['a metadata address in IPv6 clothes', 'http://[::ffff:169.254.169.254]/token'],
  ])('case 18: refuses %s', async (_name, realm) => {
    const registry = await start();
    registry.script('GET', /./, ({ send }) => send(401, challenge(realm)), 9);
    await expect(benchFor(registry, alice).pull(`${registry.host}/a:1`)).rejects.toMatchObject({ kind: 'forbidden' });
  });
});

describe('credentials', () => {
  it('case 7: do not follow a redirect to another port', async () => {
    const registry = await start({ password: 'swordfish' });
    const storage = await start();
    const { blob } = layer('one');
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', new RegExp(sha256(blob)), ({ send }) =>
      send(307, { Location: `${storage.origin}/object?signature=s3cret` }),
    );
    storage.script('GET', /object/, ({ send }) => send(200, {}, blob));
    const bench = benchFor(registry, alice);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(1);
    expect(storage.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('case 7: stay out of errors when the storage fails, as do signed addresses', async () => {
    const registry = await start({ password: 'swordfish' });
    const storage = await start();
    registry.addImage('a', '1', [layer('one')]);
    registry.script(
      'GET',
      new RegExp(sha256(layer('one').blob)),
      ({ send }) => send(307, { Location: `http://u:pw@${storage.host}/object?signature=s3cret` }),
      9,
    );
    storage.script('GET', /object/, ({ send }) => send(403, {}, 'no'), 9);
    const failure = await benchFor(registry, alice)
      .pull(`${registry.host}/a:1`)
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ kind: 'forbidden' });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toMatch(/swordfish|s3cret|pw@/);
    expect(storage.requests[0]?.authorization).toBeUndefined();
  });

  it('are found by the registry’s name, and not for its mirror', async () => {
    const registry = await start({ password: 'swordfish' });
    const mirror = await start();
    registry.addImage('a', '1', [layer('one')]);
    const bench = new PullBench({
      keychain: { find: async (host) => (host === registry.host ? alice : undefined) },
      config: { rules: [{ prefix: registry.host, mirrors: [{ location: mirror.host }] }] },
    });
    cleanUp.push(() => bench.dispose());
    await bench.pull(`${registry.host}/a:1`);
    expect(mirror.requests.length).toBeGreaterThan(0);
    expect(mirror.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it('case 7: stops after ten redirects', async () => {
    const registry = await start();
    registry.script('GET', /manifests/, ({ request, send }) => send(302, { Location: request.url! }), 99);
    await expect(benchFor(registry).pull(`${registry.host}/a:1`)).rejects.toThrow(/redirects more than 10 times/);
    expect(registry.seen('GET', /manifests/)).toHaveLength(11);
  });
});

describe('a registry that asks for patience', () => {
  it.each([
    ['seconds', '7', 7000],
    ['a date', new Date(Date.parse('2026-01-01T00:00:07Z')).toUTCString(), 7000],
    ['more than a minute', '86400', 60_000],
  ])('case 2: is left alone for %s', async (_name, value, waited) => {
    const registry = await start();
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', /manifests/, ({ send }) => send(429, { 'Retry-After': value }));
    const bench = benchFor(registry);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.slept).toEqual([waited]);
  });

  it('case 2: is asked again after 503, each time later', async () => {
    const registry = await start();
    registry.addImage('a', '1', [layer('one')]);
    registry.script('GET', /manifests/, ({ send }) => send(503), 3);
    const bench = benchFor(registry);
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.slept).toEqual([250, 500, 1000]);
  });

  it('case 2: is given up after five times', async () => {
    const registry = await start();
    registry.script('GET', /manifests/, ({ send }) => send(429), 9);
    await expect(benchFor(registry).pull(`${registry.host}/a:1`)).rejects.toMatchObject({
      kind: 'unavailable',
      hint: expect.stringContaining('limits how often'),
    });
    expect(registry.seen('GET', /manifests/)).toHaveLength(5);
  });
});

describe('mirrors and blocks', () => {
  it('asks the mirror first, below its path', async () => {
    const [registry, mirror] = [await start(), await start()];
    mirror.addImage('hub/team/a', '1', [layer('one')]);
    const bench = new PullBench({
      config: { rules: [{ prefix: registry.host, mirrors: [{ location: `${mirror.host}/hub` }] }] },
    });
    cleanUp.push(() => bench.dispose());
    await bench.pull(`${registry.host}/team/a:1`);
    expect(registry.requests).toEqual([]);
    expect([...bench.sink.images.keys()][0]).toBe(`${registry.host}/team/a:1`);
  });

  it('goes to the registry when the mirror fails', async () => {
    const [registry, mirror] = [await start(), await start()];
    registry.addImage('a', '1', [layer('one')]);
    mirror.script('GET', /./, ({ send }) => send(500), 99);
    const bench = new PullBench({
      config: { rules: [{ prefix: registry.host, mirrors: [{ location: mirror.host }] }] },
    });
    cleanUp.push(() => bench.dispose());
    await bench.pull(`${registry.host}/a:1`);
    expect(bench.sink.layers.size).toBe(1);
  });

  it('asks nobody for what is blocked', async () => {
    const registry = await start();
    const bench = new PullBench({ config: { rules: [{ prefix: `${registry.host}/evil`, blocked: 'pull' }] } });
    cleanUp.push(() => bench.dispose());
    await expect(bench.pull(`${registry.host}/evil/a:1`)).rejects.toMatchObject({ kind: 'forbidden' });
    expect(registry.requests).toEqual([]);
  });

  it('sends names without a registry to the default one', async () => {
    const registry = await start();
    registry.addImage('library/busybox', 'latest', [layer('one')]);
    const bench = new PullBench({ config: { defaultRegistry: registry.host } });
    cleanUp.push(() => bench.dispose());
    await bench.pull('busybox');
    expect([...bench.sink.images.keys()][0]).toBe('docker.io/library/busybox:latest');
  });
});

describe('a document of schema 1', () => {
  it('case 9: is refused in clear words', async () => {
    const registry = await start();
    registry.addManifest(
      'a',
      '1',
      { schemaVersion: 1, fsLayers: [] },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    );
    await expect(benchFor(registry).pull(`${registry.host}/a:1`)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('schema 1'),
    });
  });

  it('is not confused with OCI’s own v1', async () => {
    const registry = await start();
    registry.addImage('a', '1', [layer('one')]);
    expect(registry.manifests.get('a:1')?.type).toBe(mediaTypes.ociManifest);
    await benchFor(registry).pull(`${registry.host}/a:1`);
  });
});
