import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DockerRegistry } from '../support/docker-registry.ts';
import { Host } from '../support/host.ts';
import { leftovers } from '../support/leftovers.ts';

const ROUNDS = 5;
const env = { DOCKER_CONFIG: '/nonexistent', BERTH_CERTS_D: '/nonexistent' };
const recipe = `FROM busybox
RUN dd if=/dev/urandom of=/a bs=1M count=24 2>/dev/null
RUN dd if=/dev/urandom of=/b bs=1M count=24 2>/dev/null && echo whole > /done
CMD ["cat", "/done"]
`;

let registry: DockerRegistry;
let maker: Host;

beforeAll(async () => {
  registry = await DockerRegistry.start();
  maker = new Host({ env });
  await maker.importBase('busybox');
  await maker.ok(['build', '-q', '-t', 'app', '-'], { input: recipe });
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

describe('kill -9 of the engine at random moments', () => {
  let digest: string;

  it('of a push: the next push brings the image whole and leaves nothing', async () => {
    const digests: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `${registry.host}/pushed-${round}/app:1`;
      await maker.ok(['tag', 'app', name]);
      await killDuring(maker, ['push', name], Math.random() * 1500);
      digests.push(digestIn(await maker.ok(['push', name])));
      expect(transferFiles(maker), `round ${round}`).toEqual([]);
      expect(leftovers(maker, 'no-process'), `round ${round}`).toEqual([]);
    }
    digest = digests[0]!;
    expect(digest).toMatch(/^sha256:/);
    expect(new Set(digests)).toEqual(new Set([digest]));
  });

  it('of a pull: the next pull brings the image whole, it runs, and nothing else is left', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `${registry.host}/pushed-${round}/app:1`;
      const host = new Host({ env });
      try {
        await killDuring(host, ['pull', name], Math.random() * 900);
        expect(digestIn(await host.ok(['pull', name])), `round ${round}`).toBe(digest);
        expect(await host.ok(['run', '--rm', name])).toBe('whole\n');
        expect(transferFiles(host), `round ${round}`).toEqual([]);
        expect(leftovers(host, 'no-process'), `round ${round}`).toEqual([]);
        const layers = await host.ok(['inspect', '-f', '{{len .RootFS.Layers}}', name]);
        expect(readdirSync(join(host.root, 'layout-v1/layers'))).toHaveLength(Number(layers));
        await host.ok(['rmi', name]);
        expect(readdirSync(join(host.root, 'layout-v1/layers'))).toEqual([]);
        expect(readdirSync(join(host.root, 'layout-v1/cache/layer-blobs'))).toEqual([]);
      } finally {
        await host.dispose();
      }
    }
  });
});
