import { afterEach, describe, expect, it } from 'vitest';
import { createRegistryClient, type RegistryClient } from '../../../src/registry-client/index.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../support/fake-registry.ts';

let registry: FakeRegistry;
let client: RegistryClient;

async function start(options: FakeRegistryOptions): Promise<void> {
  registry = await FakeRegistry.start(options);
  client = createRegistryClient({ userAgent: 'test', now: Date.now, retry: { attempts: 1 } });
}

afterEach(async () => {
  client.close();
  await registry.close();
});

const user = (password: string) => ({ kind: 'password', username: 'u', password }) as const;
const token = (more: object = {}) => JSON.stringify({ token: 'token-x', ...more });

describe('logging in', () => {
  it('is proven with the password where the registry asks for it', async () => {
    await start({ password: 'right', scheme: 'basic' });
    expect(await client.logIn(registry.host, user('right'))).toEqual({});
    const refusal = client.logIn(registry.host, user('wrong-one'));
    await expect(refusal).rejects.toMatchObject({ kind: 'unauthorized' });
    await expect(refusal).rejects.not.toThrow(/wrong-one/);
  });

  it('is proven at the token server and at the registry', async () => {
    await start({ password: 'right' });
    expect(await client.logIn(registry.host, user('right'))).toEqual({});
    expect(registry.seen('GET', /^\/token/)[0]?.url).toMatch(/offline_token=true.*account=u/);
    expect(registry.seen('GET', /^\/v2\/$/).at(-1)?.authorization).toMatch(/^Bearer token-/);
    await expect(client.logIn(registry.host, user('wrong'))).rejects.toMatchObject({ kind: 'unauthorized' });
  });

  it('gives a token to keep where there is one', async () => {
    await start({ password: 'right' });
    registry.script('GET', /^\/token/, ({ send }) => {
      registry.tokens.set('token-x', '');
      send(200, {}, token({ refresh_token: 'lasting' }));
    });
    expect(await client.logIn(registry.host, user('right'))).toEqual({ identityToken: 'lasting' });
  });

  it('falls back to a password grant', async () => {
    await start({ password: 'right' });
    registry.script('GET', /^\/token/, ({ send }) => send(405));
    registry.script('POST', /^\/token/, async ({ request, send }) => {
      let form = '';
      for await (const chunk of request) form += chunk;
      const { grant_type, username, password, access_type } = Object.fromEntries(new URLSearchParams(form));
      registry.tokens.set('token-x', '');
      const isRight =
        grant_type === 'password' && username === 'u' && password === 'right' && access_type === 'offline';
      send(isRight ? 200 : 401, {}, token({ refresh_token: 'lasting' }));
    });
    expect(await client.logIn(registry.host, user('right'))).toEqual({ identityToken: 'lasting' });
  });

  it('is not believed of a token that the registry does not take', async () => {
    await start({ password: 'right' });
    registry.script('GET', /^\/token/, ({ send }) => send(200, {}, token()));
    await expect(client.logIn(registry.host, user('right'))).rejects.toMatchObject({ kind: 'unauthorized' });
  });
});

describe('searching', () => {
  const answer = {
    results: [
      { name: 'team/app', description: 'an\u001b[31m app\nof ours', star_count: 7, is_official: true },
      { name: '' },
      null,
    ],
  };

  it('asks the index for the term, and cleans what strangers wrote', async () => {
    await start({});
    registry.script('GET', /^\/v1\/search/, ({ send }) => send(200, {}, JSON.stringify(answer)));
    expect(await client.search(registry.host, 'a b', { limit: 5 })).toEqual([
      { name: 'team/app', description: 'an [31m app of ours', stars: 7, isOfficial: true },
    ]);
    expect(registry.seen('GET', /^\/v1\/search/)[0]?.url).toBe('/v1/search?q=a+b&n=5');
  });

  it.each([
    ['a registry without search', 404, ''],
    ['something that is no answer', 200, '<html>'],
  ])('is not there in %s', async (_, status, body) => {
    await start({});
    registry.script('GET', /^\/v1\/search/, ({ send }) => send(status, {}, body));
    expect(await client.search(registry.host, 'x', { limit: 5 })).toBeUndefined();
  });

  it('tells when the index is down', async () => {
    await start({});
    registry.script('GET', /^\/v1\/search/, ({ send }) => send(503));
    await expect(client.search(registry.host, 'x', { limit: 5 })).rejects.toMatchObject({ kind: 'unavailable' });
  });
});
