import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIndex, encodeIndex, mediaTypes, parseReference, sha256 } from '../../../src/oci/index.ts';
import { createRegistryClient, type RegistryClient } from '../../../src/registry-client/index.ts';
import { DockerRegistry } from '../../support/docker-registry.ts';
import { command, Host } from '../../support/host.ts';
import { runMain } from '../../unit/cli/test-environment.ts';

let plain: DockerRegistry;
let secure: DockerRegistry;
let folder: string;
let client: RegistryClient;
let env: Record<string, string>;

beforeAll(async () => {
  [plain, secure] = await Promise.all([DockerRegistry.start(), DockerRegistry.start({ secure: true })]);
  folder = mkdtempSync('/tmp/berth-commands-');
  mkdirSync(join(folder, 'docker'));
  const auths = { [secure.host]: { auth: Buffer.from('berth:swordfish').toString('base64') } };
  writeFileSync(join(folder, 'docker/config.json'), JSON.stringify({ auths }));
  env = {
    PATH: process.env['PATH'] ?? '',
    DOCKER_CONFIG: join(folder, 'docker'),
    BERTH_CERTS_D: secure.certificates,
    BERTH_REGISTRIES: '/nonexistent/registries.json',
    TMPDIR: folder,
  };
  client = createRegistryClient({ userAgent: 'test', now: Date.now });
  await addImage('team/app:amd', 'amd64');
  await addImage('team/app:arm', 'arm64', 'v8');
  await addImage('team/other:arm7', 'arm', 'v7');
  await addImage('team/dock:amd', 'amd64', undefined, 'docker');
  await addImage('team/dock:arm', 'arm64', undefined, 'docker');
  const entries = await Promise.all(
    ['amd', 'arm'].map(async (tag) => {
      const found = await client.getManifest(parseReference(`${plain.host}/team/app:${tag}`));
      const platform = { os: 'linux', architecture: `${tag}64` };
      return { mediaType: found.document.mediaType, digest: found.digest, size: found.bytes.length, platform };
    }),
  );
  const bytes = encodeIndex(createIndex(entries, { annotations: { a: 'b' } }));
  await client.putManifest(parseReference(`${plain.host}/team/app:all`), { bytes, mediaType: mediaTypes.ociIndex });
});

afterAll(async () => {
  client.close();
  await Promise.all([plain.close(), secure.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function addImage(name: string, architecture: string, variant?: string, form: 'oci' | 'docker' = 'oci') {
  const reference = parseReference(`${plain.host}/${name}`);
  const tar = execFileSync('tar', ['-cf', '-', '-C', '/', '--transform', 's/.*/hello/', 'etc/hostname']);
  const tail = randomBytes(64 * 1024).toString('hex');
  const config = {
    architecture,
    os: 'linux',
    ...(variant ? { variant } : {}),
    config: { Labels: { tail } },
    rootfs: { type: 'layers', diff_ids: [sha256(tar)] },
  };
  const upload = async (bytes: Uint8Array, mediaType: string) => {
    const blob = { mediaType, digest: sha256(bytes), size: bytes.length };
    const open = async function* (from: number) {
      yield bytes.subarray(from);
    };
    await client.uploadBlob(reference, { ...blob, open });
    return blob;
  };
  const isOci = form === 'oci';
  const mediaType = isOci ? mediaTypes.ociManifest : mediaTypes.dockerManifest;
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: await upload(Buffer.from(JSON.stringify(config)), isOci ? mediaTypes.ociConfig : mediaTypes.dockerConfig),
    layers: [await upload(gzipSync(tar), isOci ? mediaTypes.ociLayerGzip : mediaTypes.dockerLayer)],
  };
  await client.putManifest(reference, { bytes: Buffer.from(JSON.stringify(manifest)), mediaType });
}

async function berth(...argv: string[]): Promise<string> {
  const result = await runMain(argv, { env, cwd: folder });
  expect({ argv, ...result }).toMatchObject({ code: 0, stderr: '' });
  return result.stdout;
}

async function ok(program: string, args: readonly string[]): Promise<string> {
  const result = await command(program, args);
  expect({ program, args, ...result }).toMatchObject({ code: 0 });
  return result.stdout;
}

const withSecure = () => ['--dest-creds=berth:swordfish', `--dest-cert-dir=${join(secure.certificates, secure.host)}`];

describe('registry copy', () => {
  it('gives the digests that skopeo gives, to a registry with TLS and a password', async () => {
    const digest = (
      await berth('registry', 'copy', '-q', `${plain.host}/team/app:all`, `${secure.host}/by/berth:1`)
    ).trim();
    const from = `docker://${plain.host}/team/app:all`;
    const to = `docker://${secure.host}/by/skopeo:1`;
    await ok('skopeo', ['copy', '-q', '--all', '--src-tls-verify=false', ...withSecure(), from, to]);
    const raw = await berth('registry', 'inspect', '--raw', `${secure.host}/by/skopeo:1`);
    expect(`sha256:${createHash('sha256').update(raw).digest('hex')}`).toBe(digest);
    expect(await berth('registry', 'inspect', '--raw', `${secure.host}/by/berth:1`)).toBe(raw);
    expect(await berth('registry', 'tags', `${secure.host}/by/berth`)).toBe('1\n');
    expect((await berth('registry', 'ls', secure.host)).split('\n')).toContain(`${secure.host}/by/berth`);
  });

  it('writes layouts and archives that skopeo and umoci read, and reads theirs', async () => {
    const from = `${plain.host}/team/app:all`;
    await berth('registry', 'copy', '-q', from, 'oci:layout:all');
    await berth('registry', 'copy', '-q', '--platform', 'linux/amd64', from, 'oci:layout:amd');
    await berth('registry', 'copy', '-q', 'oci:layout:all', 'oci-archive:all.tar:all');
    const raw = await berth('registry', 'inspect', '--raw', from);
    expect(await ok('skopeo', ['inspect', '--raw', `oci:${folder}/layout:all`])).toBe(raw);
    expect(await ok('skopeo', ['inspect', '--raw', `oci-archive:${folder}/all.tar:all`])).toBe(raw);
    expect(await berth('registry', 'inspect', '--raw', 'oci-archive:all.tar')).toBe(raw);
    await ok('umoci', ['unpack', '--image', `${folder}/layout:amd`, join(folder, 'bundle')]);
    expect(readdirSync(join(folder, 'bundle/rootfs'))).toEqual(['hello']);
    expect(readdirSync(folder).filter((name) => name.includes('berth-archive'))).toEqual([]);

    await ok('skopeo', ['copy', '-q', `oci:${folder}/layout:amd`, `docker-archive:${folder}/docker.tar:app:1`]);
    await berth('registry', 'copy', '-q', 'docker-archive:docker.tar', `${plain.host}/from/archive:1`);
    await ok('skopeo', [
      'copy',
      '-q',
      '--src-tls-verify=false',
      `docker://${plain.host}/from/archive:1`,
      `dir:${folder}/dir`,
    ]);
    const configs = [`${plain.host}/from/archive:1`, 'oci:layout:amd'].map((name) =>
      berth('registry', 'inspect', '--config', name),
    );
    const [one, two] = await Promise.all(configs);
    expect(JSON.parse(one ?? '').rootfs).toEqual(JSON.parse(two ?? '').rootfs);
  });

  it('says how to log in', async () => {
    const { code, stderr } = await runMain(['registry', 'tags', `${secure.host}/a/b`], {
      env: { ...env, DOCKER_CONFIG: '/nonexistent' },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`hint: berth login ${secure.host}`);
    const copied = await runMain(['registry', 'copy', `${plain.host}/team/app:amd`, `${secure.host}/a/b`], {
      env: { ...env, DOCKER_CONFIG: '/nonexistent' },
    });
    expect(copied.stderr).toContain(`hint: berth login ${secure.host}`);
  });
});

describe('registry rm', () => {
  it('deletes a tag that shares its manifest only by force, or the manifest by its digest', async () => {
    const names = ['rm/app:one', 'rm/app:two'].map((name) => `${plain.host}/${name}`);
    for (const name of names) await berth('registry', 'copy', '-q', `${plain.host}/team/app:amd`, name);
    const refused = await runMain(['registry', 'rm', names[0] ?? ''], { env });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('cannot delete the tag one alone');
    expect(await berth('registry', 'rm', '--force', names[0] ?? '')).toMatch(/^Deleted: .*@sha256:/);
    const gone = await runMain(['registry', 'inspect', names[1] ?? ''], { env });
    expect(gone.code).toBe(1);
  });

  it('names the tag that was meant', async () => {
    const { stderr } = await runMain(['registry', 'inspect', `${plain.host}/team/app:amb`], { env });
    expect(stderr).toContain(`did you mean ${plain.host}/team/app:amd?`);
  });
});

describe('manifest', () => {
  /** Runs the same in docker's CLI and ours, each with a folder of its own. */
  async function both(...args: string[]): Promise<{ readonly docker: string; readonly berth: string }> {
    const argv = ['manifest', ...args];
    const docker = await command('docker', argv, { env: { DOCKER_CONFIG: join(folder, 'by-docker') } });
    const ours = await runMain(argv, { env: { ...env, DOCKER_CONFIG: join(folder, 'by-berth') } });
    expect({ argv, code: ours.code, stderr: ours.stderr }).toMatchObject({ code: docker.code });
    return { docker: docker.stdout, berth: ours.stdout };
  }

  async function same(...args: string[]): Promise<string> {
    const { docker, berth: ours } = await both(...args);
    expect(ours).toBe(docker);
    return ours;
  }

  /** Files of local lists, with their content. */
  function state(name: string): Record<string, string> {
    const top = join(folder, name, 'manifests');
    const lists = readdirSync(top);
    const files = lists.flatMap((list) => readdirSync(join(top, list)).map((file) => join(list, file)));
    return Object.fromEntries(files.map((file) => [file, readFileSync(join(top, file), 'utf8')]));
  }

  it('prints, keeps and pushes what docker does', async () => {
    const { host } = plain;
    const list = `${host}/list/app:1`;
    await same('inspect', '--insecure', `${host}/team/app:amd`);
    await same('inspect', '--insecure', '-v', `${host}/team/app:arm`);
    await same('inspect', '--insecure', '-v', `${host}/team/dock:amd`);
    await same('create', '--insecure', list, `${host}/team/app:amd`, `${host}/team/app:arm`, `${host}/team/other:arm7`);
    expect(state('by-berth')).toEqual(state('by-docker'));
    await same(
      'annotate',
      '--os-version',
      '10',
      '--os-features',
      'a,b',
      '--variant',
      'v9',
      list,
      `${host}/team/app:arm`,
    );
    expect(state('by-berth')).toEqual(state('by-docker'));
    await same('inspect', list);
    await same('inspect', '-v', list);
    await same('create', '--insecure', list, `${host}/team/app:amd`);
    const pushed = await both('push', '--insecure', '--purge', list);
    expect(pushed.berth.trim().split('\n').at(-1)).toBe(pushed.docker.trim().split('\n').at(-1));
    await same('rm', list);
    await same('inspect', '--insecure', list);
    await same('create', '--insecure', `${host}/x/y:1`, list);
  });

  it("makes Docker's lists of Docker's images, and carries on what docker began", async () => {
    const { host } = plain;
    const list = `${host}/list/dock:1`;
    const shared = { DOCKER_CONFIG: join(folder, 'by-docker') };
    const members = [`${host}/team/dock:amd`, `${host}/team/dock:arm`];
    const made = await command('docker', ['manifest', 'create', '--insecure', list, ...members], { env: shared });
    expect(made.code).toBe(0);
    const ours = await runMain(['manifest', 'push', '--insecure', list], { env: { ...env, ...shared } });
    expect(ours).toMatchObject({ code: 0, stderr: '' });
    const again = await command('docker', ['manifest', 'push', '--insecure', '-p', list], { env: shared });
    expect(again.stdout.trim().split('\n').at(-1)).toBe(ours.stdout.trim().split('\n').at(-1));
    await same('inspect', '--insecure', '-v', list);
  });

  it('keeps OCI annotations', async () => {
    const list = `${plain.host}/list/noted:1`;
    await berth('manifest', 'create', list, `${plain.host}/team/app:amd`);
    await berth('manifest', 'annotate', '--annotation', 'who=me', list, `${plain.host}/team/app:amd`);
    await berth('manifest', 'push', '--purge', '--annotation', 'what=index', list);
    const raw = JSON.parse(await berth('registry', 'inspect', '--raw', list));
    expect(raw).toMatchObject({ annotations: { what: 'index' }, manifests: [{ annotations: { who: 'me' } }] });
  });
});

describe('GET /distribution', () => {
  it('tells clients of the engine what a registry has', async () => {
    const host = new Host({ env: { BERTH_CERTS_D: secure.certificates } });
    try {
      await host.ok(['version']);
      const ask = async (name: string, auth?: object): Promise<unknown> => {
        const headers = auth
          ? ['-H', `X-Registry-Auth: ${Buffer.from(JSON.stringify(auth)).toString('base64url')}`]
          : [];
        const url = `http://engine/v1.41/distribution/${name}/json`;
        return JSON.parse(await ok('curl', ['-s', '--unix-socket', host.socket, ...headers, url]));
      };
      expect(await ask(`${plain.host}/team/app:all`)).toMatchObject({
        Descriptor: { mediaType: mediaTypes.ociIndex },
        Platforms: [{ architecture: 'amd64', os: 'linux' }, { architecture: 'arm64' }],
      });
      await berth('registry', 'copy', '-q', `${plain.host}/team/app:amd`, `${secure.host}/d/app:1`);
      const auth = { username: 'berth', password: 'swordfish', serveraddress: secure.host };
      expect(await ask(`${secure.host}/d/app:1`, auth)).toMatchObject({ Platforms: [{ architecture: 'amd64' }] });
      expect(await ask(`${secure.host}/d/app:1`)).toHaveProperty('message');
    } finally {
      await host.dispose();
    }
  });
});
