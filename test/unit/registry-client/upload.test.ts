import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { mediaTypes, parseReference, sha256 } from '../../../src/oci/index.ts';
import { type BlobSource, type Keychain, openUploadMemory } from '../../../src/registry-client/index.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../support/fake-registry.ts';
import { layer, PullBench } from '../../support/registry-sink.ts';

const MIB = 1 << 20;
const CHUNK = 2 * MIB;
const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const dispose of cleanUp.splice(0)) await dispose();
});

async function start(options: FakeRegistryOptions = {}) {
  const registry = await FakeRegistry.start(options);
  const keychain: Keychain = { find: async () => ({ kind: 'password', username: 'a', password: 'swordfish' }) };
  const bench = new PullBench({ keychain, uploadChunkBytes: CHUNK });
  const folder = mkdtempSync(join(tmpdir(), 'berth-uploads-'));
  cleanUp.push(
    () => registry.close(),
    () => bench.dispose(),
    () => rmSync(folder, { recursive: true, force: true }),
  );
  const name = { registry: registry.host, repository: 'team/app' };
  return { registry, bench, client: bench.client, name, folder };
}

/** Content that can be read from anywhere, in uneven pieces. */
function source(content: Buffer): BlobSource {
  return {
    digest: sha256(content),
    size: content.length,
    async *open(from) {
      for (let at = from; at < content.length; at += 300_001) yield content.subarray(at, at + 300_001);
    },
  };
}

const sent = (registry: FakeRegistry) =>
  registry.requests.filter(({ method }) => method !== 'POST').reduce((sum, { received }) => sum + received, 0);

describe('an upload', () => {
  it('of a small blob takes two requests, and none when the blob is there', async () => {
    const { registry, client, name } = await start();
    const blob = source(Buffer.from('small'));
    expect(await client.uploadBlob(name, blob)).toBe('uploaded');
    expect(registry.requests.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'POST', 'PUT']);
    expect(await client.uploadBlob(name, blob)).toBe('present');
    expect(registry.blobs.get(`team/app@${blob.digest}`)?.toString()).toBe('small');
  });

  it('of no bytes works, too', async () => {
    const { client, name } = await start();
    expect(await client.uploadBlob(name, source(Buffer.alloc(0)))).toBe('uploaded');
    expect(await client.headBlob(name, sha256(''))).toBe(0);
  });

  it('of a large blob goes in chunks, each at the place that the last answer named', async () => {
    const { registry, client, name } = await start();
    const blob = source(randomBytes(2 * CHUNK + 5));
    const told: number[] = [];
    await client.uploadBlob(name, blob, { onProgress: (bytes) => told.push(bytes) });
    expect(registry.seen('PATCH', /uploads/).map(({ headers }) => headers['content-range'])).toEqual([
      `0-${CHUNK - 1}`,
      `${CHUNK}-${2 * CHUNK - 1}`,
      `${2 * CHUNK}-${2 * CHUNK + 4}`,
    ]);
    expect(told).toEqual([CHUNK, 2 * CHUNK, 2 * CHUNK + 5, 2 * CHUNK + 5]);
    expect(registry.blobs.has(`team/app@${blob.digest}`)).toBe(true);
  });

  it('respects the smallest chunk that the registry takes', async () => {
    const { registry, client, name } = await start({ minChunk: 3 * MIB });
    await client.uploadBlob(name, source(randomBytes(4 * MIB)));
    expect(registry.seen('PATCH', /uploads/)[0]?.headers['content-range']).toBe(`0-${3 * MIB - 1}`);
  });

  it('is a mount where another repository has the blob', async () => {
    const { registry, client, name } = await start();
    const { digest } = registry.addBlob('other', Buffer.from('shared'));
    const outcome = await client.uploadBlob(name, source(Buffer.from('shared')), { mountFrom: ['other'] });
    expect(outcome).toBe('mounted');
    expect(registry.blobs.has(`team/app@${digest}`)).toBe(true);
    expect(sent(registry)).toBe(0);
  });

  it('case 23: is an upload where the mount’s source may not be read', async () => {
    const { registry, client, name } = await start();
    registry.script('POST', /mount=/, ({ send }) => send(403));
    const outcome = await client.uploadBlob(name, source(Buffer.from('shared')), { mountFrom: ['secret'] });
    expect(outcome).toBe('uploaded');
  });

  it('asks for the right to read the mount’s source', async () => {
    const { registry, client, name } = await start({ password: 'swordfish' });
    await client.uploadBlob(name, source(Buffer.from('x')), { mountFrom: ['other'] });
    const scopes = registry
      .seen('GET', /^\/token/)
      .map(({ url }) => new URL(url, registry.origin).searchParams.getAll('scope'));
    expect(scopes.flat()).toEqual(expect.arrayContaining(['repository:other:pull', 'repository:team/app:pull,push']));
  });
});

describe('an upload that is disturbed', () => {
  it('case 1: by an expired token replays the chunk, not the blob', async () => {
    const { registry, client, name } = await start({ password: 'swordfish' });
    const blob = source(randomBytes(3 * CHUNK));
    registry.script('PATCH', /uploads/, async ({ usual }) => {
      await usual();
      registry.tokens.clear();
    });
    await client.uploadBlob(name, blob);
    const ranges = registry
      .seen('PATCH', /uploads/)
      .map(({ headers }) => String(headers['content-range']).split('-')[0]);
    expect(ranges).toEqual(['0', `${CHUNK}`, `${CHUNK}`, `${2 * CHUNK}`]);
    expect(registry.blobs.has(`team/app@${blob.digest}`)).toBe(true);
  });

  it('case 3: by a cut connection goes on where the registry says', async () => {
    const { registry, client, name } = await start();
    const blob = source(randomBytes(2 * CHUNK));
    registry.script('PATCH', /uploads/, cutAfter(registry, 1_000_000));
    await client.uploadBlob(name, blob);
    const [first, second] = registry.seen('PATCH', /uploads/);
    expect(first?.headers['content-range']).toBe(`0-${CHUNK - 1}`);
    const from = Number(String(second?.headers['content-range']).split('-')[0]);
    expect(from).toBeGreaterThanOrEqual(1_000_000);
    expect(from).toBeLessThan(CHUNK);
    expect(registry.blobs.has(`team/app@${blob.digest}`)).toBe(true);
  });

  it.each([404, 416])('case 3: begins again when the registry lost it: %i', async (status) => {
    const { registry, client, name } = await start();
    const blob = source(randomBytes(2 * CHUNK));
    registry.script('GET', /uploads/, ({ send }) => send(status));
    registry.script('PATCH', /uploads/, ({ response }) => void response.destroy());
    await client.uploadBlob(name, blob);
    expect(registry.seen('POST', /uploads/)).toHaveLength(2);
    expect(registry.blobs.has(`team/app@${blob.digest}`)).toBe(true);
  });

  it('sees that the last request arrived although its answer did not', async () => {
    const { registry, client, name } = await start();
    const blob = source(Buffer.from('small'));
    registry.script('PUT', /uploads/, async ({ response, request }) => {
      for await (const _ of request);
      registry.addBlob('team/app', Buffer.from('small'));
      response.destroy();
    });
    expect(await client.uploadBlob(name, blob)).toBe('uploaded');
    expect(registry.seen('PUT', /uploads/)).toHaveLength(1);
  });

  it('gives up after five tries that brought nothing', async () => {
    const { registry, bench, client, name } = await start();
    registry.script('PATCH', /uploads/, ({ response }) => void response.destroy(), 99);
    await expect(client.uploadBlob(name, source(randomBytes(CHUNK + 1)))).rejects.toMatchObject({
      kind: 'unavailable',
    });
    expect(registry.seen('PATCH', /uploads/)).toHaveLength(5);
    expect(bench.slept).toEqual([250, 500, 1000, 2000]);
  });

  it('by a refusal ends at once', async () => {
    const { registry, client, name } = await start();
    registry.script('POST', /uploads/, ({ send }) =>
      send(403, {}, '{"errors":[{"code":"DENIED","message":"no push"}]}'),
    );
    await expect(client.uploadBlob(name, source(Buffer.from('x')))).rejects.toMatchObject({
      kind: 'forbidden',
      message: expect.stringContaining('denied: no push'),
    });
  });

  it('goes on in another process, from what is on disk', async () => {
    const { registry, client, name, folder } = await start();
    const blob = source(randomBytes(4 * CHUNK));
    const controller = new AbortController();
    const stop = { memory: openUploadMemory(folder, Date.now), signal: controller.signal };
    registry.script(
      'PATCH',
      /uploads/,
      async ({ usual, request }) => {
        if (request.headers['content-range']?.startsWith('0-')) return usual();
        controller.abort();
      },
      2,
    );
    await expect(client.uploadBlob(name, blob, stop)).rejects.toMatchObject({ name: 'AbortError' });
    const [file] = readdirSync(folder);
    expect(statSync(join(folder, file!)).mode & 0o777).toBe(0o600);
    await client.uploadBlob(name, blob, { memory: openUploadMemory(folder, Date.now) });
    expect(registry.seen('POST', /uploads/)).toHaveLength(1);
    expect(
      registry.seen('PATCH', /uploads/).map(({ headers }) => String(headers['content-range']).split('-')[0]),
    ).toEqual(['0', `${CHUNK}`, `${CHUNK}`, `${2 * CHUNK}`, `${3 * CHUNK}`]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that ended just before its process did is forgotten', async () => {
    const { registry, client, name, folder } = await start();
    const memory = openUploadMemory(folder, Date.now);
    const blob = source(Buffer.from('whole'));
    await client.uploadBlob(name, blob, { memory: { ...memory, forget: async () => {} } });
    expect(readdirSync(folder)).toHaveLength(1);
    expect(await client.uploadBlob(name, blob, { memory })).toBe('present');
    expect(readdirSync(folder)).toEqual([]);
    expect(registry.seen('POST', /uploads/)).toHaveLength(1);
  });

  it('gives no credentials to another host that takes the bytes', async () => {
    const { registry, client, name } = await start({ password: 'swordfish' });
    const storage = await FakeRegistry.start();
    cleanUp.push(() => storage.close());
    registry.script('POST', /uploads/, ({ send }) => send(202, { Location: `${storage.origin}/store?sig=1` }));
    storage.script('PUT', /store/, ({ send }) => send(201));
    await client.uploadBlob(name, source(Buffer.from('x')));
    expect(storage.requests.map(({ method, authorization }) => [method, authorization])).toEqual([['PUT', undefined]]);
  });
});

describe('manifests and tags', () => {
  it('are written, read and deleted', async () => {
    const { registry, client } = await start();
    const reference = parseReference(`${registry.host}/team/app:1`);
    registry.addImage('team/app', '0', [layer('one')]);
    const { bytes } = registry.manifests.get('team/app:0')!;
    const { digest } = await client.putManifest(reference, { bytes, mediaType: mediaTypes.ociManifest });
    expect((await client.getManifest(reference)).digest).toBe(digest);
    await client.deleteManifest(reference);
    expect(await client.headManifest(reference)).toBeUndefined();
  });

  it('are not trusted to a registry that takes them for others', async () => {
    const { registry, client } = await start();
    const reference = parseReference(`${registry.host}/team/app:1`);
    registry.script('PUT', /manifests/, ({ send }) => send(201, { 'Docker-Content-Digest': sha256('other') }));
    const document = { bytes: Buffer.from('{}'), mediaType: mediaTypes.ociManifest };
    await expect(client.putManifest(reference, document)).rejects.toThrow(/took the manifest .* for/);
  });

  it('are listed over several pages', async () => {
    const { registry, client, name } = await start();
    for (const tag of ['a', 'b', 'c', 'd', 'e']) registry.addManifest('team/app', tag, { schemaVersion: 2 });
    registry.script('GET', /tags\/list\?n=1000/, ({ send }) =>
      send(200, { Link: '</v2/team/app/tags/list?n=2&last=b>; rel="next"' }, JSON.stringify({ tags: ['a', 'b'] })),
    );
    const tags: string[] = [];
    for await (const tag of client.listTags(name)) tags.push(tag);
    expect(tags).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

/** Takes so many bytes of a chunk, as a registry does whose connection then breaks. */
function cutAfter(registry: FakeRegistry, bytes: number) {
  return async ({ request, response }: Parameters<Parameters<FakeRegistry['script']>[2]>[0]) => {
    const [upload] = [...registry.uploads.values()].slice(-1);
    const chunks: Buffer[] = [];
    let taken = 0;
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
      taken += (chunk as Buffer).length;
      if (taken >= bytes) break;
    }
    upload!.parts = chunks;
    response.destroy();
  };
}
