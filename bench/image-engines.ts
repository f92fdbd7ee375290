import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { berthProgram, type Host } from '../test/support/host.ts';
import type { Peer } from '../test/support/peers.ts';

type Run = (engine: BenchEngine, ...args: string[]) => Promise<unknown>;

/** One engine by its command line, in the words that differ. */
export interface BenchEngine {
  readonly name: string;
  readonly program: string;
  readonly prefix: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Flags of push and pull for a registry without TLS. */
  readonly insecure: readonly string[];
  /** Makes it forget the compressed forms of layers, and where they are. */
  forget(): void;
  /** Removes what its builds keep layers by. */
  clearBuilds(run: Run): Promise<unknown>;
}

/** Berth, dockerd and podman, each with the places where it remembers compressed layers. */
export function imageEngines(from: {
  readonly host: Host;
  readonly docker: Peer;
  readonly pod: Peer;
}): readonly BenchEngine[] {
  const { host, docker, pod } = from;
  const data = join(host.root, 'layout-v1');
  return [
    {
      name: 'berth',
      program: berthProgram,
      prefix: [],
      env: host.env,
      insecure: [],
      forget: () => empty(join(data, 'cache/layer-blobs'), join(data, 'uploads/layers')),
      async clearBuilds(run) {
        await run(this, 'builder', 'prune', '-af');
      },
    },
    {
      name: 'dockerd',
      program: 'docker',
      prefix: docker.prefix,
      env: docker.env,
      insecure: [],
      forget() {
        const images = join(docker.folder, 'data/image');
        for (const driver of readdirSync(images)) empty(join(images, driver, 'distribution'));
      },
      // The classic builder's steps are images.
      async clearBuilds() {},
    },
    {
      name: 'podman',
      program: 'podman',
      prefix: pod.prefix,
      env: pod.env,
      insecure: ['--tls-verify=false'],
      forget: () => empty('/var/lib/containers/cache'),
      async clearBuilds() {},
    },
  ];
}

function empty(...folders: readonly string[]): void {
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}
