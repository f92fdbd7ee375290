import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DockerRegistry } from '../support/docker-registry.ts';
import { command, Host } from '../support/host.ts';
import { dockerd, type Peer, podman } from '../support/peers.ts';
import { TokenServer } from '../support/token-server.ts';

const folder = mkdtempSync('/tmp/berth-journey-');
let maker: Host;
let archive: string;

beforeAll(async () => {
  maker = new Host({ env: { DOCKER_CONFIG: join(folder, 'none') } });
  await maker.importBase('busybox');
  const dockerfile = 'FROM busybox\nRUN echo one > /one && head -c 3000000 /dev/urandom > /big\nCMD ["cat", "/one"]\n';
  await maker.ok(['build', '-q', '-t', 'app:1', '-'], { input: dockerfile });
  archive = join(folder, 'app.tar');
  await maker.ok(['save', '-o', archive, 'app:1']);
});
afterAll(async () => {
  await maker.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const DIGEST = /sha256:[0-9a-f]{64}/;

/** Digest of what a peer, or Berth, says an image has in a registry. */
async function repoDigest(inspect: (args: readonly string[]) => Promise<string>, name: string): Promise<string> {
  const repository = name.replace(/:[^:/]+$/, '');
  const all = JSON.parse(await inspect(['inspect', '--format', '{{json .RepoDigests}}', name])) as readonly string[];
  return DIGEST.exec(all.find((one) => one.startsWith(`${repository}@`)) ?? '')?.[0] ?? '';
}

async function skopeo(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await command('skopeo', ['--insecure-policy', ...args]);
  if (code !== 0) throw new Error(`skopeo ${args.join(' ')}\n${stderr}`);
  return stdout;
}

describe.each(['TLS under an own CA and htpasswd', 'signed tokens'])('a registry with %s', (kind) => {
  let registry: DockerRegistry;
  let tokens: TokenServer | undefined;
  let config: string;
  let first: Host;
  let pushed: string;
  let name: string;
  const certificates = () => join(registry.certificates, registry.host);
  const options = (prefix = '') =>
    tokens
      ? [`--${prefix}tls-verify=false`, `--${prefix}creds=berth:swordfish`]
      : [`--${prefix}cert-dir=${certificates()}`, `--${prefix}creds=berth:swordfish`];
  const hostOf = (DOCKER_CONFIG: string) => new Host({ env: { DOCKER_CONFIG, BERTH_CERTS_D: registry.certificates } });

  beforeAll(async () => {
    tokens = kind === 'signed tokens' ? await TokenServer.start() : undefined;
    registry = await DockerRegistry.start(tokens ? { tokens } : { secure: true });
    config = mkdtempSync(join(folder, 'config-'));
    first = hostOf(config);
    name = `${registry.host}/team/app`;
  });
  afterAll(async () => {
    await first.dispose();
    await registry.close();
    await tokens?.close();
  });

  /** Pulls a name on an empty root, looks at its digest and runs it. */
  async function takenByBerth(image: string): Promise<string> {
    const host = hostOf(config);
    try {
      await host.ok(['pull', '-q', image]);
      expect(await host.ok(['run', '--rm', image])).toBe('one\n');
      return await repoDigest((args) => host.ok(args), image);
    } finally {
      await host.dispose();
    }
  }

  it('takes no wrong password, and then the right one', async () => {
    const wrong = await first.berth(['login', '-u', 'berth', '--password-stdin', registry.host], { input: 'salmon' });
    expect(wrong.code).toBe(1);
    expect(`${wrong.stdout}${wrong.stderr}`).not.toContain('salmon');
    const right = await first.ok(['login', '-u', 'berth', '--password-stdin', registry.host], { input: 'swordfish' });
    expect(right).toContain('Login Succeeded');
  });

  it('takes what Berth tags and pushes, and gives it back on an empty root, to run', async () => {
    await first.ok(['load', '-i', archive]);
    await first.ok(['tag', 'app:1', `${name}:1`]);
    pushed = /^1: digest: (sha256:[0-9a-f]{64}) size: \d+$/m.exec(await first.ok(['push', `${name}:1`]))?.[1] ?? '';
    expect(pushed).toMatch(DIGEST);
    expect(await takenByBerth(`${name}:1`)).toBe(pushed);
  });

  it('gives skopeo what Berth pushed, with the same digest, and Berth what skopeo pushed', async () => {
    const seen = await skopeo(['inspect', '--format', '{{.Digest}}', ...options(), `docker://${name}:1`]);
    expect(seen.trim()).toBe(pushed);
    const layout = `oci:${join(folder, `skopeo-${kind.length}`)}:app`;
    await skopeo(['copy', '-q', ...options('src-'), `docker://${name}:1`, layout]);
    await skopeo(['copy', '-q', ...options('dest-'), layout, `docker://${name}:skopeo`]);
    const digest = await skopeo(['inspect', '--format', '{{.Digest}}', ...options(), `docker://${name}:skopeo`]);
    expect(await takenByBerth(`${name}:skopeo`)).toBe(digest.trim());
  });

  it('gives podman what Berth pushed, with the same digest, and Berth what podman pushed', async () => {
    const peer = podman();
    try {
      await peer.ok(['pull', '-q', ...options(), `${name}:1`]);
      expect(await repoDigest((args) => peer.ok(args), `${name}:1`)).toBe(pushed);
      const said = join(folder, 'podman-digest');
      await peer.ok(['push', '-q', ...options(), '--digestfile', said, `${name}:1`, `docker://${name}:podman`]);
      const digest = await skopeo(['inspect', '--format', '{{.Digest}}', ...options(), `docker://${name}:podman`]);
      expect(await takenByBerth(`${name}:podman`)).toBe(digest.trim());
    } finally {
      await peer.dispose();
    }
  });

  it('gives docker what Berth pushed, with the same digest, and Berth what docker pushed', async () => {
    const peer: Peer = await dockerd();
    try {
      await peer.ok(['--config', config, 'pull', '-q', `${name}:1`]);
      expect(await repoDigest((args) => peer.ok(args), `${name}:1`)).toBe(pushed);
      await peer.ok(['tag', `${name}:1`, `${name}:docker`]);
      const digest = DIGEST.exec(await peer.ok(['--config', config, 'push', `${name}:docker`]))?.[0];
      expect(await takenByBerth(`${name}:docker`)).toBe(digest);
    } finally {
      await peer.dispose();
    }
  });

  it('gives nothing more after a logout', async () => {
    await first.ok(['logout', registry.host]);
    await first.ok(['tag', 'app:1', `${name}:late`]);
    const denied = await first.berth(['push', `${name}:late`]);
    expect([denied.code, denied.stderr]).toEqual([1, expect.stringMatching(/authentication required|denied/)]);
  });
});
