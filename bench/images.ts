import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerRegistry } from '../test/support/docker-registry.ts';
import { berthProgram, command, type Host } from '../test/support/host.ts';
import type { Peer } from '../test/support/peers.ts';
import { layerContexts } from './image-files.ts';
import { type Case, timeCommand } from './measure.ts';

/** One engine by its command line, in the words that differ. */
interface Engine {
  readonly name: string;
  readonly program: string;
  readonly prefix: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Flags of push and pull for a registry without TLS. */
  readonly insecure: readonly string[];
  /** Makes it forget the compressed forms of layers. */
  forget(): void;
}

export interface ImageBench {
  readonly cases: readonly Case[];
  prepare(): Promise<void>;
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

/**
 * Whole commands on an image of 600 MB of real files and a registry on loopback. Each push goes to a registry that has
 * just been started, under a port that nobody has seen: nothing is there, and no engine knows a place to mount from.
 */
export function imageBench({ scratch, host, docker, pod, rounds, scale }: Places): ImageBench {
  const folder = join(scratch, 'images');
  const tar = join(folder, 'big.tar');
  let registry: DockerRegistry | undefined;
  let served: DockerRegistry | undefined;
  const engines: readonly Engine[] = [
    {
      name: 'berth',
      program: berthProgram,
      prefix: [],
      env: host.env,
      insecure: [],
      forget() {
        const blobs = join(host.root, 'layout-v1/cache/layer-blobs');
        rmSync(blobs, { recursive: true, force: true });
        mkdirSync(blobs, { recursive: true });
      },
    },
    // Neither keeps compressed layers: dockerd remembers places by registry, podman digests by registry.
    { name: 'dockerd', program: 'docker', prefix: docker.prefix, env: docker.env, insecure: [], forget() {} },
    {
      name: 'podman',
      program: 'podman',
      prefix: pod.prefix,
      env: pod.env,
      insecure: ['--tls-verify=false'],
      forget() {},
    },
  ];

  const ok = async ({ program, prefix, env }: Engine, ...args: string[]): Promise<void> => {
    const result = await command(program, [...prefix, ...args], { env, timeoutMs: 600_000 });
    if (result.code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${result.code}\n${result.stderr}`);
  };
  const timed = async ({ program, prefix, env }: Engine, ...args: string[]): Promise<number> => {
    // What earlier work has left to be written is not this command's.
    await command('sync', []);
    return await timeCommand(program, [...prefix, ...args], env);
  };
  const push = (engine: Engine, name: string) => timed(engine, 'push', '-q', ...engine.insecure, name);

  /** Tags an image for a registry, pushes it, and says how long that took. */
  async function pushTo(engine: Engine, image: string, target: DockerRegistry): Promise<number> {
    const name = `${target.host}/bench/app:1`;
    await ok(engine, 'tag', image, name);
    try {
      return await push(engine, name);
    } finally {
      await ok(engine, 'rmi', name);
    }
  }

  async function freshPush(engine: Engine): Promise<number> {
    await registry?.close();
    registry = await DockerRegistry.start();
    engine.forget();
    return await pushTo(engine, 'big', registry);
  }

  async function secondPush(engine: Engine): Promise<number> {
    await freshPush(engine);
    return await pushTo(engine, 'big', registry!);
  }

  async function changedPush(engine: Engine, round: number): Promise<number> {
    await freshPush(engine);
    const context = join(folder, 'changed');
    mkdirSync(context, { recursive: true });
    writeFileSync(join(context, 'Dockerfile'), 'FROM big\nCOPY file /changed\n');
    writeFileSync(join(context, 'file'), `${engine.name} ${round}\n`.repeat(10_000));
    await ok(engine, 'build', '-q', '-t', 'changed', context);
    return await pushTo(engine, 'changed', registry!);
  }

  async function pull(engine: Engine): Promise<number> {
    const name = `${served!.host}/bench/app:1`;
    await ok(engine, 'rmi', '-f', 'changed').catch(() => {});
    await ok(engine, 'rmi', '-f', 'big').catch(() => {});
    const took = await timed(engine, 'pull', '-q', ...engine.insecure, name);
    await ok(engine, 'tag', name, 'big');
    await ok(engine, 'rmi', name);
    return took;
  }

  async function load(engine: Engine): Promise<number> {
    await ok(engine, 'rmi', '-f', 'changed').catch(() => {});
    await ok(engine, 'rmi', '-f', 'big').catch(() => {});
    return await timed(engine, 'load', '-q', '-i', tar);
  }

  async function save(engine: Engine): Promise<number> {
    const target = join(folder, 'saved.tar');
    rmSync(target, { force: true });
    return await timed(engine, 'save', '-o', target, 'big');
  }

  const of = (name: string, run: (engine: Engine, round: number) => Promise<number>): Case => ({
    name: `${name}, 600 MB image: whole command`,
    floor: ['dockerd', 'podman'],
    goal: 0.6,
    rounds,
    contenders: engines.map((engine) => ({ name: engine.name, run: (round) => run(engine, round) })),
  });

  return {
    cases: [
      of('push to an empty registry, layers not compressed yet', freshPush),
      of('second push of an unchanged image', secondPush),
      of('push after one small layer changed', changedPush),
      of('save', save),
      of('pull onto a store without it', pull),
      of('load', load),
    ],
    /** The image is built by docker, so that no engine has build steps that would keep its layers. */
    async prepare() {
      mkdirSync(folder, { recursive: true });
      const names = layerContexts(join(folder, 'context'), scale);
      const steps = ['FROM scratch', ...names.map((name) => `COPY ${name} /`), 'CMD ["true"]'];
      writeFileSync(join(folder, 'context/Dockerfile'), `${steps.join('\n')}\n`);
      const [, dockerEngine] = engines;
      await ok(dockerEngine!, 'build', '-q', '-t', 'big', join(folder, 'context'));
      await ok(dockerEngine!, 'save', '-o', tar, 'big');
      await ok(dockerEngine!, 'rmi', 'big');
      await ok(dockerEngine!, 'builder', 'prune', '-af');
      rmSync(join(folder, 'context'), { recursive: true });
      for (const engine of engines) await ok(engine, 'load', '-i', tar);
      served = await DockerRegistry.start();
      await pushTo(engines[0]!, 'big', served);
    },
    async dispose() {
      await registry?.close();
      await served?.close();
    },
  };
}
