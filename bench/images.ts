import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DockerRegistry } from '../test/support/docker-registry.ts';
import { command, type Host } from '../test/support/host.ts';
import type { Peer } from '../test/support/peers.ts';
import { type BenchEngine, imageEngines } from './image-engines.ts';
import { layerContexts } from './image-files.ts';
import { PeakMemory } from './machine.ts';
import { type Case, timeCommand } from './measure.ts';

export interface ImageBench {
  readonly cases: readonly Case[];
  prepare(): Promise<void>;
  /** Berth's largest resident memory in each kind of command. */
  memoryMb(): Readonly<Record<string, number>>;
  dispose(): Promise<void>;
}

/** Folder of a round's archive and context. */
interface Places {
  readonly scratch: string;
  readonly host: Host;
  readonly docker: Peer;
  readonly pod: Peer;
  readonly rounds: number;
  /** Times 600 MB. */
  readonly scale: number;
}

const IDLE_MS = 5000;

/**
 * Whole commands on an image of 600 MB of real files and a registry on loopback. Cold means: the registry has just been
 * started, under a port that nobody has seen, and nobody remembers a compressed form of a layer; the store holds no
 * layer of the image, and no build step does.
 */
export function imageBench({ scratch, host, docker, pod, rounds, scale }: Places): ImageBench {
  const folder = join(scratch, 'images');
  const tar = join(folder, 'big.tar');
  const engines = imageEngines({ host, docker, pod });
  /** Where each engine has pushed the image to. */
  const registries = new Map<BenchEngine, DockerRegistry>();
  const memory = new PeakMemory(() => host.enginePid(), join(host.root, 'layout-v1/uploads/sender.lock'));
  let served: DockerRegistry | undefined;

  const ok = async ({ program, prefix, env }: BenchEngine, ...args: string[]): Promise<string> => {
    const result = await command(program, [...prefix, ...args], { env, timeoutMs: 600_000 });
    if (result.code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${result.code}\n${result.stderr}`);
    return result.stdout;
  };
  const timed = async ({ name, program, prefix, env }: BenchEngine, ...args: string[]): Promise<number> => {
    // What earlier work has left to be written is not this command's.
    await command('sync', []);
    const run = () => timeCommand(program, [...prefix, ...args], env);
    return name === 'berth' ? await memory.during(args[0]!, run) : await run();
  };

  /** Tags an image for a registry, pushes it, and says how long that took. */
  async function pushTo(engine: BenchEngine, image: string, target: DockerRegistry): Promise<number> {
    const name = `${target.host}/bench/app:1`;
    await ok(engine, 'tag', image, name);
    try {
      return await timed(engine, 'push', '-q', ...engine.insecure, name);
    } finally {
      await ok(engine, 'rmi', name);
    }
  }

  async function freshPush(engine: BenchEngine): Promise<number> {
    await registries.get(engine)?.close();
    const registry = await DockerRegistry.start();
    registries.set(engine, registry);
    engine.forget();
    return await pushTo(engine, 'big', registry);
  }

  async function pushed(engine: BenchEngine): Promise<DockerRegistry> {
    if (!registries.has(engine)) await freshPush(engine);
    return registries.get(engine)!;
  }

  async function changedPush(engine: BenchEngine, round: number): Promise<number> {
    const registry = await pushed(engine);
    const context = join(folder, 'changed');
    mkdirSync(context, { recursive: true });
    writeFileSync(join(context, 'Dockerfile'), 'FROM big\nCOPY file /changed\n');
    writeFileSync(join(context, 'file'), `${engine.name} ${round}\n`.repeat(10_000));
    await ok(engine, 'build', '-q', '-t', 'changed', context);
    try {
      return await pushTo(engine, 'changed', registry);
    } finally {
      await ok(engine, 'rmi', '-f', 'changed');
    }
  }

  /** Leaves nothing of the image: what was built on it would keep its layers. */
  async function clear(engine: BenchEngine): Promise<void> {
    await ok(engine, 'rmi', '-f', 'big').catch(() => {});
    await ok(engine, 'image', 'prune', '-f');
    await engine.clearBuilds(ok);
    engine.forget();
    const left = new Set((await ok(engine, 'images', '-aq')).split('\n').filter(Boolean));
    if (left.size > 1) throw new Error(`${engine.name} has ${left.size} images, and not only busybox`);
  }

  async function pull(engine: BenchEngine): Promise<number> {
    await clear(engine);
    const name = `${served!.host}/bench/app:1`;
    const took = await timed(engine, 'pull', '-q', ...engine.insecure, name);
    await ok(engine, 'tag', name, 'big');
    await ok(engine, 'rmi', name);
    return took;
  }

  async function load(engine: BenchEngine): Promise<number> {
    await clear(engine);
    return await timed(engine, 'load', '-q', '-i', tar);
  }

  async function save(engine: BenchEngine): Promise<number> {
    const target = join(folder, 'saved.tar');
    rmSync(target, { force: true });
    return await timed(engine, 'save', '-o', target, 'big');
  }

  const of = (name: string, run: (engine: BenchEngine, round: number) => Promise<number>): Case => ({
    name: `${name}, 600 MB image: whole command`,
    floor: ['dockerd', 'podman'],
    goal: 0.6,
    rounds,
    contenders: engines.map((engine) => ({ name: engine.name, run: (round) => run(engine, round) })),
  });

  return {
    cases: [
      of('push to an empty registry, layers not compressed yet', freshPush),
      of('second push of an unchanged image', async (engine) => pushTo(engine, 'big', await pushed(engine))),
      of('push after one small layer changed', changedPush),
      of('save', save),
      of('pull onto a store without it', pull),
      of('load', load),
    ],
    /** The image is built by docker, so that no engine has build steps that would keep its layers. */
    async prepare() {
      mkdirSync(folder, { recursive: true });
      usePrivateBlobInfo(join(scratch, 'blob-info'));
      const names = layerContexts(join(folder, 'context'), scale);
      const steps = ['FROM scratch', ...names.map((name) => `COPY ${name} /`), 'CMD ["true"]'];
      writeFileSync(join(folder, 'context/Dockerfile'), `${steps.join('\n')}\n`);
      const builder = engines.find(({ name }) => name === 'dockerd')!;
      await ok(builder, 'build', '-q', '-t', 'big', join(folder, 'context'));
      await ok(builder, 'save', '-o', tar, 'big');
      await clear(builder);
      rmSync(join(folder, 'context'), { recursive: true });
      await delay(IDLE_MS);
      memory.noteIdle();
      for (const engine of engines) await ok(engine, 'load', '-i', tar);
      // Podman names what has no registry after docker.io, and finds it by either name.
      served = await DockerRegistry.start();
      await pushTo(engines[0]!, 'big', served);
    },
    memoryMb: () => memory.report(),
    async dispose() {
      for (const registry of [...registries.values(), served]) await registry?.close();
    },
  };

  /** Podman as root keeps what it knows of blobs outside of its root: one folder for the bench, in its own mounts. */
  function usePrivateBlobInfo(own: string): void {
    const place = '/var/lib/containers/cache';
    mkdirSync(own);
    mkdirSync(place, { recursive: true });
    execFileSync('mount', ['--bind', own, place]);
    if (readdirSync(place).length > 0) throw new Error(`${place} is not the bench's own`);
  }
}
