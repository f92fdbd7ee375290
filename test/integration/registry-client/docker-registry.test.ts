import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaTypes, parseReference, sha256 } from '../../../src/oci/index.ts';
import { type BlobSource, createRegistryClient, type Keychain } from '../../../src/registry-client/index.ts';
import { DockerRegistry } from '../../support/docker-registry.ts';
import { FakeProxy } from '../../support/fake-proxy.ts';
import { command, Host } from '../../support/host.ts';

let secure: DockerRegistry;
let plain: DockerRegistry;
let maker: Host;
let archive: string;

beforeAll(async () => {
  [secure, plain] = await Promise.all([DockerRegistry.start({ secure: true }), DockerRegistry.start()]);
  maker = new Host();
  await maker.importBase('busybox');
  const dockerfile =
    'FROM busybox\nRUN echo one > /one\nRUN dd if=/dev/urandom of=/big bs=1M count=20\nCMD ["cat", "/one"]\n';
  await maker.ok(['build', '-q', '-t', 'app:1', '-'], { input: dockerfile });
  archive = join(maker.folder, 'app.tar');
  await maker.ok(['save', '-o', archive, 'app:1']);
  await push(['--dest-tls-verify=false'], plain.host);
  await push(
    ['--dest-creds=berth:swordfish', `--dest-cert-dir=${join(secure.certificates, secure.host)}`],
    secure.host,
  );
});

afterAll(async () => {
  await Promise.all([maker.dispose(), secure.close(), plain.close()]);
});

async function push(options: readonly string[], host: string): Promise<void> {
  const result = await command('skopeo', [
    'copy',
    '-q',
    ...options,
    `docker-archive:${archive}`,
    `docker://${host}/team/app:1`,
  ]);
  if (result.code !== 0) throw new Error(result.stderr);
}

async function onHost(env: Readonly<Record<string, string>>, use: (host: Host) => Promise<void>): Promise<void> {
  const host = new Host({ env: { DOCKER_CONFIG: '/nonexistent', BERTH_CERTS_D: '/nonexistent', ...env } });
  try {
    await use(host);
  } finally {
    await host.dispose();
  }
}

/** A folder with docker's config file, as `docker login` leaves it. */
function login(password: string): string {
  const folder = join(secure.folder, `docker-${password}`);
  mkdirSync(folder, { recursive: true });
  const auths = { [secure.host]: { auth: Buffer.from(`berth:${password}`).toString('base64') } };
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths }));
  return folder;
}

describe('a plain registry on loopback', () => {
  it('gives an image to run, with the id and the layers that skopeo pushed', async () => {
    await onHost({}, async (host) => {
      expect(await host.ok(['run', '--rm', `${plain.host}/team/app:1`])).toBe('one\n');
      const [here, there] = await Promise.all([
        host.ok(['inspect', '-f', '{{.Id}} {{json .RootFS.Layers}}', `${plain.host}/team/app:1`]),
        maker.ok(['inspect', '-f', '{{.Id}} {{json .RootFS.Layers}}', 'app:1']),
      ]);
      expect(here).toBe(there);
    });
  });

  it('serves the docker CLI through our engine', async () => {
    await onHost({}, async (host) => {
      await host.ok(['version']);
      const first = await host.docker(['pull', `${plain.host}/team/app:1`]);
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(first.stdout).toMatch(
        /^1: Pulling from team\/app\n[\s\S]*: Pull complete\nDigest: sha256:[0-9a-f]{64}\nStatus: Downloaded newer image for [\s\S]*\n$/,
      );
      const second = await host.docker(['pull', '-q', `${plain.host}/team/app:1`]);
      expect(second.stdout).toBe(`${plain.host}/team/app:1\n`);
      const third = await host.docker(['pull', `${plain.host}/team/app:none`]);
      expect(third.code).toBe(1);
      expect(third.stderr).toContain('manifest unknown');
    });
  });

  it('gives base images to builds', async () => {
    await onHost({}, async (host) => {
      const input = `FROM ${plain.host}/team/app:1\nRUN cat /one > /two\n`;
      const built = await host.berth(['build', '--progress', 'plain', '-t', 'next', '-'], { input });
      expect(built).toMatchObject({ code: 0 });
      expect(built.stderr).toContain(`pulling ${plain.host}/team/app:1: `);
      expect(await host.ok(['run', '--rm', 'next', 'cat', '/two'])).toBe('one\n');
      const missing = await host.berth(['build', '-'], { input: `FROM ${plain.host}/team/app:2\n` });
      expect(missing.code).toBe(1);
      expect(missing.stderr).toContain('manifest unknown');
    });
  });

  it('is pulled to the end by the engine that follows one that was killed', async () => {
    await onHost({}, async (host) => {
      await host.ok(['version']);
      const pulling = host.start(['pull', `${plain.host}/team/app:1`]);
      const ended = new Promise((resolve) => pulling.once('close', resolve));
      await new Promise((resolve) => pulling.stdout.once('data', resolve));
      process.kill(host.enginePid()!, 'SIGKILL');
      await ended;
      expect(await host.ok(['run', '--rm', `${plain.host}/team/app:1`])).toBe('one\n');
    });
  });
});

describe('a registry with TLS under an own CA and a password', () => {
  it('gives its images to who trusts it and has logged in', async () => {
    await onHost({ BERTH_CERTS_D: secure.certificates, DOCKER_CONFIG: login('swordfish') }, async (host) => {
      expect(await host.ok(['run', '--rm', `${secure.host}/team/app:1`])).toBe('one\n');
    });
  });

  it('gives nothing to who has a wrong password, or none', async () => {
    await onHost({ BERTH_CERTS_D: secure.certificates, DOCKER_CONFIG: login('salmon') }, async (host) => {
      const wrong = await host.berth(['pull', `${secure.host}/team/app:1`]);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toContain('pull access denied');
      expect(wrong.stderr).not.toContain('salmon');
      const none = await host.berth(['pull', `${secure.host}/team/app:1`], { env: { DOCKER_CONFIG: '/nonexistent' } });
      expect(none.stderr).toContain('pull access denied');
    });
  });
});

describe('a push', () => {
  it('is what skopeo and docker read, with equal ids, and sends nothing twice', async () => {
    const name = `${secure.host}/pushed/app`;
    await onHost({ BERTH_CERTS_D: secure.certificates, DOCKER_CONFIG: login('swordfish') }, async (host) => {
      await host.ok(['load', '-i', archive]);
      await host.ok(['tag', 'app:1', `${name}:1`]);
      const first = await host.ok(['push', `${name}:1`]);
      const digest = /^1: digest: (sha256:[0-9a-f]{64}) size: \d+$/m.exec(first)?.[1];
      expect(digest).toBeDefined();
      expect(await host.ok(['inspect', '-f', '{{json .RepoDigests}}', 'app:1'])).toContain(`${name}@${digest}`);
      const access = ['--creds=berth:swordfish', `--cert-dir=${join(secure.certificates, secure.host)}`];
      const seen = await command('skopeo', ['inspect', '--config', '--raw', ...access, `docker://${name}@${digest}`]);
      expect(sha256(seen.stdout)).toBe((await host.ok(['inspect', '-f', '{{.Id}}', 'app:1'])).trim());
      await host.ok(['tag', 'app:1', `${name}:2`]);
      const second = await host.ok(['push', '--all-tags', name]);
      expect(second.match(/Layer already exists/g)).toHaveLength(6);
      expect(second.match(/digest: sha256:[0-9a-f]{64}/g)).toEqual([`digest: ${digest}`, `digest: ${digest}`]);
      const docker = await host.docker(['--config', login('swordfish'), 'push', `${name}:1`]);
      expect(docker).toMatchObject({ code: 0, stdout: expect.stringContaining(`1: digest: ${digest}`) });
      await host.ok(['rmi', '-f', 'app:1', `${name}:1`, `${name}:2`]);
      await host.ok(['pull', '-q', `${name}@${digest}`]);
    });
  });

  it('is refused to who has not logged in, before anything is sent', async () => {
    await onHost({ BERTH_CERTS_D: secure.certificates }, async (host) => {
      await host.ok(['load', '-i', archive]);
      await host.ok(['tag', 'app:1', `${secure.host}/denied/app:1`]);
      const denied = await host.berth(['push', `${secure.host}/denied/app:1`]);
      expect(denied.code).toBe(1);
      expect(denied.stderr).toMatch(/authentication required[\s\S]*hint: log in/);
    });
  });
});

describe('the client', () => {
  const keychain: Keychain = { find: async () => ({ kind: 'password', username: 'berth', password: 'swordfish' }) };
  const clientFor = (folders: readonly string[]) =>
    createRegistryClient({ userAgent: 'test', now: Date.now, keychain, config: { certificateFolders: folders } });

  it('does not talk to a registry that a wrong CA vouches for', async () => {
    const other = join(secure.folder, 'wrong');
    mkdirSync(join(other, secure.host), { recursive: true });
    writeFileSync(join(other, secure.host, 'ca.crt'), '');
    await expect(clientFor([other]).ping(secure.host)).rejects.toMatchObject({
      kind: 'unavailable',
      hint: expect.stringContaining('ca.crt'),
    });
  });

  it('reaches a registry with TLS by way of a proxy', async () => {
    const proxy = await FakeProxy.start(secure.host);
    const client = createRegistryClient({
      userAgent: 'test',
      now: Date.now,
      keychain,
      env: { https_proxy: proxy.host },
      config: { rules: [{ prefix: 'registry.test', insecure: true }] },
    });
    expect(await client.headManifest(parseReference('registry.test/team/app:1'))).toBeDefined();
    expect(new Set(proxy.requests)).toEqual(new Set(['CONNECT registry.test:443']));
    client.close();
    await proxy.close();
  });

  it('writes what skopeo reads with equal digests', async () => {
    const client = clientFor([secure.certificates]);
    const reference = parseReference(`${secure.host}/team/made:1`);
    const content = randomBytes(40 << 20);
    const blob: BlobSource = {
      digest: sha256(content),
      size: content.length,
      async *open(from) {
        yield content.subarray(from);
      },
    };
    const config = Buffer.from(
      JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [sha256(content)] } }),
    );
    expect(await client.uploadBlob(reference, blob)).toBe('uploaded');
    const small = {
      digest: sha256(config),
      size: config.length,
      open: async function* () {
        yield config;
      },
    };
    expect(await client.uploadBlob(reference, small)).toBe('uploaded');
    expect(
      await client.uploadBlob({ ...reference, repository: 'team/other' }, blob, { mountFrom: ['team/made'] }),
    ).toBe('mounted');
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: small.digest, size: small.size },
      layers: [{ mediaType: mediaTypes.ociLayer, digest: blob.digest, size: blob.size }],
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const { digest } = await client.putManifest(reference, { bytes, mediaType: mediaTypes.ociManifest });
    const certificates = `--cert-dir=${join(secure.certificates, secure.host)}`;
    const seen = await command('skopeo', [
      'inspect',
      '--raw',
      '--creds=berth:swordfish',
      certificates,
      `docker://${secure.host}/team/made:1`,
    ]);
    expect(sha256(seen.stdout)).toBe(digest);
    const tags: string[] = [];
    for await (const tag of client.listTags(reference)) tags.push(tag);
    expect(tags).toEqual(['1']);
    await client.deleteManifest({ registry: reference.registry, repository: reference.repository, digest });
    expect(await client.headManifest(reference)).toBeUndefined();
    client.close();
  });
});
