import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CountingForwarder } from '../support/counting-forwarder.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { Host, refusesConnections, until } from '../support/host.ts';
import { leftovers, processesWith } from '../support/leftovers.ts';

const KILLS = 10;
/** The goal of Berth for an image of 600 MB: bytes that pass, as a part of the image's. */
const GOAL = 1.15;
/** Size of the image: `BERTH_TEST_TRANSFER_MB=600` shows it as it is meant, and is given no allowance. */
const MB = Number(process.env['BERTH_TEST_TRANSFER_MB'] ?? 80);
const LAYERS = 3;
/**
 * What a kill costs a pull whatever the image's size, for each layer on its way: what the kernel holds for a reader (half
 * a MiB, doubled for its own use), what the engine has not written yet, and what waits in the forwarder.
 */
const IN_SOCKETS = MB >= 600 ? 0 : KILLS * LAYERS * 2 ** 20;
const TIMEOUT_MS = 180_000 + MB * 1000;
const env = { DOCKER_CONFIG: '/nonexistent', BERTH_CERTS_D: '/nonexistent' };
const layer = (name: string, part: number) =>
  `RUN dd if=/dev/urandom of=/${name} bs=1M count=${Math.round(MB * part)} 2>/dev/null`;
const recipe = `FROM busybox
${layer('a', 0.5)}
${layer('b', 0.3)}
${layer('c', 0.2)} && echo whole > /done
CMD ["cat", "/done"]
`;

let registry: DockerRegistry;
let maker: Host;

beforeAll(async () => {
  registry = await DockerRegistry.start();
  maker = new Host({ env });
  await maker.importBase('busybox');
  await maker.ok(['build', '-q', '-t', 'app', '-'], { input: recipe, timeoutMs: 300_000 });
}, TIMEOUT_MS);

afterAll(async () => {
  await maker.dispose();
  await registry.close();
});

/** Kills the engine the moment that `bytes` have passed. @returns whether that cut the command off */
async function killedAt(
  host: Host,
  args: readonly string[],
  forwarder: CountingForwarder,
  bytes: number,
): Promise<boolean> {
  await host.ok(['version']);
  const engine = host.enginePid()!;
  const isTooLate = forwarder.at(bytes, () => process.kill(engine, 'SIGKILL'));
  const child = host.start(args);
  child.stdout.resume();
  child.stderr.resume();
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (isTooLate()) return false;
  // Its socket may outlive it by a moment.
  await until(() => refusesConnections(host.socket));
  return code !== 0;
}

/**
 * Kills the engine at a random moment of each tenth of a transfer, counted in bytes that passed, then lets it end.
 * Every run gets a little further than the one before, so that each kill is one of a transfer under way.
 */
async function endAfterKills(
  host: Host,
  args: readonly string[],
  forwarder: CountingForwarder,
  size: number,
): Promise<string> {
  for (let kill = 0; kill < KILLS; kill += 1) {
    const moment = ((kill + Math.random()) / KILLS) * 0.95 * size;
    const furtherOn = forwarder.total + Math.random() * (size / 40);
    expect(await killedAt(host, args, forwarder, Math.max(moment, furtherOn))).toBe(true);
  }
  return digestIn(await host.ok(args, { timeoutMs: 300_000 }));
}

/** Files of transfers that are over. */
function transferFiles(host: Host): string[] {
  return ['downloads', 'uploads/layers', 'uploads/sessions'].flatMap((name) => {
    const folder = join(host.root, 'layout-v1', name);
    return existsSync(folder) ? readdirSync(folder).map((file) => `${name}/${file}`) : [];
  });
}

function digestIn(output: string): string {
  return /sha256:[0-9a-f]{64}/.exec(/digest: sha256:[0-9a-f]{64}/i.exec(output)?.[0] ?? '')?.[0] ?? 'none';
}

function blobBytes(manifest: { config: { size: number }; layers: readonly { size: number }[] }): number {
  return manifest.layers.reduce((sum, { size }) => sum + size, manifest.config.size);
}

function report(direction: string, { total }: CountingForwarder, size: number): void {
  process.stdout.write(
    `${direction} of ${(size / 1e6).toFixed(0)} MB, killed ${KILLS} times: ${(total / size).toFixed(3)}\n`,
  );
}

describe('kill -9 of the engine at ten random moments', () => {
  let digest: string;
  let size: number;

  it(
    'of a push costs at most 15 % more bytes; the registry has the image whole; no file and no process is left',
    async () => {
      const twin = `${registry.host}/twin/app:1`;
      await maker.ok(['tag', 'app', twin]);
      digest = digestIn(await maker.ok(['push', twin], { timeoutMs: 300_000 }));
      expect(digest).toMatch(/^sha256:/);
      const answer = await fetch(`http://${registry.host}/v2/twin/app/manifests/1`, {
        headers: { Accept: 'application/vnd.oci.image.manifest.v1+json' },
      });
      size = blobBytes((await answer.json()) as Parameters<typeof blobBytes>[0]);
      // Under the name that the forwarder has, the registry is one to which nothing was pushed.
      const forwarder = await CountingForwarder.start(registry.host);
      try {
        rmSync(join(maker.root, 'layout-v1/cache/layer-blobs'), { recursive: true });
        mkdirSync(join(maker.root, 'layout-v1/cache/layer-blobs'));
        const name = `${forwarder.host}/pushed/app:1`;
        await maker.ok(['tag', 'app', name]);
        expect(await endAfterKills(maker, ['push', name], forwarder, size)).toBe(digest);
        report('push', forwarder, size);
        expect(forwarder.total).toBeLessThan(GOAL * size);
        expect(transferFiles(maker)).toEqual([]);
        await maker.killEngine();
        await until(() => processesWith(maker.root).length === 0);
        expect(leftovers(maker, maker.root)).toEqual([]);
      } finally {
        await forwarder.close();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'of a pull costs at most 15 % more bytes, and 1 MiB a connection; the image is whole and runs; no file is left',
    async () => {
      const host = new Host({ env });
      const forwarder = await CountingForwarder.start(registry.host);
      try {
        const name = `${forwarder.host}/twin/app:1`;
        expect(await endAfterKills(host, ['pull', name], forwarder, size)).toBe(digest);
        report('pull', forwarder, size);
        expect(forwarder.total).toBeLessThan(GOAL * size + IN_SOCKETS);
        expect(await host.ok(['run', '--rm', name])).toBe('whole\n');
        expect(transferFiles(host)).toEqual([]);
        expect(leftovers(host, 'no-process')).toEqual([]);
        const layers = await host.ok(['inspect', '-f', '{{len .RootFS.Layers}}', name]);
        expect(readdirSync(join(host.root, 'layout-v1/layers'))).toHaveLength(Number(layers));
        await host.ok(['rmi', name]);
        expect(readdirSync(join(host.root, 'layout-v1/layers'))).toEqual([]);
        expect(readdirSync(join(host.root, 'layout-v1/cache/layer-blobs'))).toEqual([]);
      } finally {
        await forwarder.close();
        await host.dispose();
      }
    },
    TIMEOUT_MS,
  );
});
