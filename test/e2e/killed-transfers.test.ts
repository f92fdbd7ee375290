import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CountingForwarder } from '../support/counting-forwarder.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { Host } from '../support/host.ts';
import { leftovers } from '../support/leftovers.ts';

const KILLS = 10;
/** Size of the image: `BERTH_TEST_TRANSFER_MB=600` shows the same with one that is as large as they come. */
const MB = Number(process.env['BERTH_TEST_TRANSFER_MB'] ?? 60);
const TIMEOUT_MS = 120_000 + MB * 1000;
const env = { DOCKER_CONFIG: '/nonexistent', BERTH_CERTS_D: '/nonexistent' };
const layer = (name: string, part: number) =>
  `RUN dd if=/dev/urandom of=/${name} bs=1M count=${Math.round(MB * part)} 2>/dev/null`;
const recipe = `FROM busybox
${layer('a', 0.6)}
${layer('b', 0.3)}
${layer('c', 0.1)} && echo whole > /done
CMD ["cat", "/done"]
`;

let registry: DockerRegistry;
let maker: Host;

beforeAll(async () => {
  registry = await DockerRegistry.start();
  maker = new Host({ env });
  await maker.importBase('busybox');
  await maker.ok(['build', '-q', '-t', 'app', '-'], { input: recipe, timeoutMs: 300_000 });
});

afterAll(async () => {
  await maker.dispose();
  await registry.close();
});

/** Kills the engine after a while, unless the command was faster. */
async function killDuring(host: Host, args: readonly string[], afterMs: number): Promise<void> {
  await host.ok(['version']);
  const child = host.start(args);
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdout.resume();
  child.stderr.resume();
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const engine = host.enginePid();
  if (engine !== undefined) process.kill(engine, 'SIGKILL');
  await ended;
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

/** Kills the engine `KILLS` times while `args` are under way, each time at another moment, then lets them end. */
async function endAfterKills(host: Host, args: readonly string[], wholeMs: number): Promise<string> {
  for (let kill = 0; kill < KILLS; kill += 1) await killDuring(host, args, Math.random() * (wholeMs / 3));
  return digestIn(await host.ok(args, { timeoutMs: 300_000 }));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function blobBytes(manifest: { config: { size: number }; layers: readonly { size: number }[] }): number {
  return manifest.layers.reduce((sum, { size }) => sum + size, manifest.config.size);
}

describe('kill -9 of the engine at random moments', () => {
  let digest: string;
  let size: number;

  it(
    'of a push, ten times: the registry has it whole, layers that it had are not sent again, and nothing is left',
    async () => {
      const twin = `${registry.host}/twin/app:1`;
      await maker.ok(['tag', 'app', twin]);
      const wholeMs = await timed(async () => {
        digest = digestIn(await maker.ok(['push', twin], { timeoutMs: 300_000 }));
      });
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
        expect(await endAfterKills(maker, ['push', name], wholeMs)).toBe(digest);
        // docker-registry 2.8 forgets an upload whose chunk was cut: a kill costs what came of the layers under way, never more.
        expect(forwarder.total / size).toBeLessThan(KILLS / 2);
        expect(transferFiles(maker)).toEqual([]);
        expect(leftovers(maker, 'no-process')).toEqual([]);
      } finally {
        await forwarder.close();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'of a pull, ten times: a kill costs what is in the wires, the image is whole and runs, and nothing else is left',
    async () => {
      const [host, twin] = [new Host({ env }), new Host({ env })];
      const forwarder = await CountingForwarder.start(registry.host);
      try {
        const wholeMs = await timed(() => twin.ok(['pull', `${registry.host}/twin/app:1`], { timeoutMs: 300_000 }));
        const name = `${forwarder.host}/twin/app:1`;
        expect(await endAfterKills(host, ['pull', name], wholeMs)).toBe(digest);
        // What sockets hold is lost, of any image alike: ten kills of 600 MB cost 10 % at most.
        expect((forwarder.total - size) / KILLS).toBeLessThan(6e6);
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
        await twin.dispose();
      }
    },
    TIMEOUT_MS,
  );
});
