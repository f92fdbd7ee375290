import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/oci/index.ts';
import { tarOf } from '../contract/snapshots.ts';
import { FakeProxy } from '../support/fake-proxy.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { Host, type Result } from '../support/host.ts';

const SECRET = 'canary-S3cret-7f1b';
/** The forms in which it could show up: as it is, in a Basic header, in a URL. */
const FORMS = [
  SECRET,
  ...['berth:', ':'].map((user) => Buffer.from(`${user}${SECRET}`).toString('base64').replace(/=+$/, '')),
];
const TOKEN = /token-\d+/;

const tar = tarOf({ name: 'file', text: 'content' });
const path = new RegExp(sha256(gzipSync(tar)));

describe('a password', () => {
  const folder = mkdtempSync('/tmp/berth-canary-');
  const config = join(folder, 'docker');
  let registry: FakeRegistry;
  let stranger: FakeRegistry;
  let proxy: FakeProxy;
  let host: Host;
  const seen: string[] = [];

  beforeAll(async () => {
    registry = await FakeRegistry.start({ password: SECRET });
    stranger = await FakeRegistry.start();
    proxy = await FakeProxy.start(stranger.host);
    mkdirSync(config);
    host = new Host({
      env: { DOCKER_CONFIG: config, HTTP_PROXY: `http://${proxy.host}`, HTTPS_PROXY: `http://${proxy.host}` },
    });
  });
  afterAll(async () => {
    await host.dispose();
    await Promise.all([registry.close(), stranger.close(), proxy.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function berth(args: readonly string[], input?: string): Promise<Result> {
    const result = await host.berth(args, input === undefined ? {} : { input });
    seen.push(result.stdout, result.stderr);
    return result;
  }

  /** What `ps` shows of every process, whenever a registry is asked. */
  function watchProcesses(): void {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        // This very test has the secret in its memory, not in its arguments.
        seen.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      } catch {
        // It ended meanwhile.
      }
    }
  }

  it('opens its own registry: login, pull and push', async () => {
    registry.script(
      'GET',
      /^\/token/,
      async ({ usual }) => {
        watchProcesses();
        await usual();
      },
      99,
    );
    registry.addImage('team/app', '1', [{ blob: gzipSync(tar), diffId: sha256(tar) }]);
    const login = await berth(['login', '-u', 'berth', '--password-stdin', registry.host], SECRET);
    expect(login).toMatchObject({ code: 0 });
    expect((await berth(['pull', `${registry.host}/team/app:1`])).code).toBe(0);
    expect((await berth(['tag', `${registry.host}/team/app:1`, `${registry.host}/other/app:1`])).code).toBe(0);
    expect((await berth(['push', `${registry.host}/other/app:1`])).code).toBe(0);
    expect(registry.seen('GET', /^\/token/).some(({ authorization }) => authorization?.includes(FORMS[1]!))).toBe(true);
  });

  it.each<[string, (name: string) => void]>([
    [
      'a redirect of a blob',
      () => registry.script('GET', path, ({ send }) => send(307, { Location: `${stranger.origin}/blob` }), 9),
    ],
    [
      'a redirect of a manifest',
      (name) =>
        registry.script(
          'GET',
          new RegExp(`${name}/manifests`),
          ({ send }) => send(302, { Location: `${stranger.origin}/m` }),
          9,
        ),
    ],
    [
      'a redirect to its own name on another port',
      () =>
        registry.script(
          'GET',
          path,
          ({ send }) => send(307, { Location: `http://localhost:${stranger.host.split(':')[1]}/blob` }),
          9,
        ),
    ],
    [
      'a realm of an inner network',
      () =>
        registry.script(
          'GET',
          /^\/v2\//,
          ({ send }) => send(401, { 'WWW-Authenticate': 'Bearer realm="http://169.254.169.254/token",service="s"' }),
          9,
        ),
    ],
    [
      'a redirect of its token server',
      () =>
        registry.script(
          'GET',
          /^\/token/,
          ({ send, request }) => send(307, { Location: `${stranger.origin}${request.url}` }),
          9,
        ),
    ],
    [
      'an answer that repeats the header',
      () =>
        registry.script(
          'GET',
          path,
          ({ send, request }) =>
            send(
              403,
              {},
              JSON.stringify({ errors: [{ code: 'DENIED', message: 'no' }], header: request.headers.authorization }),
            ),
          9,
        ),
    ],
  ])('does not leave it by %s', async (what, set) => {
    const name = `bad/${what.replaceAll(' ', '-')}`.toLowerCase();
    registry.addImage(name, '1', [{ blob: gzipSync(tar), diffId: sha256(tar) }]);
    await berth(['rmi', '-f', `${registry.host}/team/app:1`, `${registry.host}/other/app:1`]);
    set(name);
    const { code } = await berth(['pull', `${registry.host}/${name}:1`]);
    expect(code).toBe(1);
    for (const one of stranger.requests) expect(one.authorization).toBeUndefined();
    registry.forgetScripts();
  });

  it('does not leave it by an upload that goes elsewhere', async () => {
    const { stdout } = await berth(['import', '-', `${registry.host}/up/app:1`], tar.toString('latin1'));
    expect(stdout).toMatch(/^sha256:/);
    registry.script(
      'POST',
      /up\/app\/blobs\/uploads/,
      ({ send }) => send(202, { Location: `${stranger.origin}/upload` }),
      9,
    );
    await berth(['push', `${registry.host}/up/app:1`]);
    for (const one of stranger.requests) expect(one.authorization).toBeUndefined();
  });

  it('is asked for at no registry of another name, nor by a proxy', async () => {
    await berth(['pull', 'registry.test/team/app:1']);
    expect(proxy.requests.length).toBeGreaterThan(0);
    expect(proxy.requests.filter((request) => / as /.test(request))).toEqual([]);
    for (const one of stranger.requests) expect(one.headers).not.toHaveProperty('authorization');
  });

  it('and its tokens are in no output, no process list, no history, no log and no state of the engine', async () => {
    await berth(['images', '--digests']);
    await berth(['info']);
    for (const name of ['team/app', 'other/app', 'up/app']) {
      await berth(['history', '--no-trunc', `${registry.host}/${name}:1`]);
      await berth(['inspect', `${registry.host}/${name}:1`]);
    }
    const files = [...filesOf(host.root), ...filesOf(host.runRoot)];
    expect(files.length).toBeGreaterThan(3);
    const texts = [
      ...seen,
      ...files.map((file) => `${file}\n${readFileSync(file, 'latin1')}`),
      JSON.stringify(stranger.requests),
      proxy.requests.join('\n'),
    ];
    for (const form of FORMS) expect(texts.filter((text) => text.includes(form))).toEqual([]);
    expect([...seen, JSON.stringify(stranger.requests)].filter((text) => TOKEN.test(text))).toEqual([]);
  });
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false);
}
