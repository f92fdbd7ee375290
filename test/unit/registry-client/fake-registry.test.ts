import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mediaTypes, sha256 } from '../../../src/oci/index.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { layer } from '../../support/registry-sink.ts';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
});
afterEach(() => registry.close());

const ask = (path: string, options: RequestInit = {}) => fetch(`${registry.origin}${path}`, options);

describe('the scripted registry', () => {
  it('serves an image by tag and digest, and its blobs in whole or from an offset', async () => {
    const { digest } = registry.addImage('a/b', '1', [layer('one')]);
    const byTag = await ask('/v2/a/b/manifests/1');
    expect(byTag.headers.get('content-type')).toBe(mediaTypes.ociManifest);
    expect(byTag.headers.get('docker-content-digest')).toBe(digest);
    expect(await (await ask(`/v2/a/b/manifests/${digest}`)).text()).toBe(await byTag.text());
    const path = `/v2/a/b/blobs/${sha256(layer('one').blob)}`;
    const part = await ask(path, { headers: { Range: 'bytes=3-' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(layer('one').blob.subarray(3));
    expect((await ask(path, { headers: { Range: 'bytes=999-' } })).status).toBe(416);
    expect((await ask('/v2/a/b/manifests/2')).status).toBe(404);
  });

  it('takes an upload in chunks, and none out of order', async () => {
    const begun = await ask('/v2/a/blobs/uploads/', { method: 'POST' });
    const place = begun.headers.get('location')!;
    const patch = (range: string, body: string) =>
      ask(place, { method: 'PATCH', body, headers: { 'Content-Range': range } });
    expect((await patch('0-2', 'abc')).status).toBe(202);
    expect((await patch('5-6', 'xy')).status).toBe(416);
    expect((await ask(place)).headers.get('range')).toBe('0-2');
    expect((await patch('3-4', 'de')).status).toBe(202);
    expect((await ask(`${place}&digest=${sha256('other')}`, { method: 'PUT' })).status).toBe(400);
    expect((await ask(`${place}&digest=${sha256('abcde')}`, { method: 'PUT' })).status).toBe(201);
    expect(await (await ask(`/v2/a/blobs/${sha256('abcde')}`)).text()).toBe('abcde');
  });

  it('follows a script as often as it says, and then does the usual', async () => {
    registry.script('GET', /^\/v2\/$/, ({ send }) => send(503), 2);
    const statuses = [];
    for (let time = 0; time < 3; time += 1) statuses.push((await ask('/v2/')).status);
    expect(statuses).toEqual([503, 503, 200]);
    expect(registry.seen('GET', /v2/)).toHaveLength(3);
  });

  it('cuts connections where it is told', async () => {
    registry.script('GET', /blob/, ({ cut }) => cut(200, Buffer.alloc(1000), 10));
    await expect(ask('/v2/a/blobs/x').then((response) => response.arrayBuffer())).rejects.toThrow();
  });

  it('asks for a token of the right scope', async () => {
    const locked = await FakeRegistry.start({ password: 'pw' });
    locked.addImage('a', '1', [layer('one')]);
    const manifest = (token?: string) =>
      fetch(`${locked.origin}/v2/a/manifests/1`, token ? { headers: { Authorization: `Bearer ${token}` } } : {});
    expect((await manifest()).headers.get('www-authenticate')).toContain('scope="repository:a:pull"');
    const token = async (scope: string) => {
      const headers = { Authorization: `Basic ${Buffer.from('u:pw').toString('base64')}` };
      const reply = await fetch(`${locked.origin}/token?scope=${scope}`, { headers });
      return ((await reply.json()) as { token: string }).token;
    };
    expect((await manifest(await token('repository:b:pull'))).status).toBe(401);
    expect((await manifest(await token('repository:a:pull'))).status).toBe(200);
    await locked.close();
  });
});
