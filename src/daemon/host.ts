import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createApiServer } from '../api/server/index.ts';
import { openGarbage, openImageStore, openObjectStore, openSpool, openStepRecords } from '../cache/index.ts';
import { createEngine } from '../engine/index.ts';
import { openNetworkHost } from '../network/index.ts';
import { familiarName, familiarRepository } from '../oci/index.ts';
import { openLayerBlobs } from '../registry-client/index.ts';
import {
  enterEngineNamespace,
  hostLimits,
  keepHeapSmall,
  openLayerStore,
  openRuntime,
  RootFiles,
  settleDriver,
  VolumeFolders,
} from '../runtime/index.ts';
import { openBuildPorts } from './build-ports/index.ts';
import { createBuilds } from './builds.ts';
import { dataFolderOf, type EngineConfig } from './config.ts';
import { createDistribution } from './distribution.ts';
import { watchIdleness } from './idle.ts';
import { createSystem } from './info.ts';
import { lockRoot } from './lock.ts';
import { releaseMemory } from './memory.ts';
import { type AnnounceTransfer, createPulls, pullingImages } from './pulls.ts';
import { createPushes } from './pushes.ts';
import { openRegistryClient } from './registries.ts';
import { createRegistryServices } from './registry-services.ts';
import { runStepsOnNetwork } from './step-network.ts';
import { markOpen, tidyUp } from './tidy.ts';
import { countTransfers } from './transfers.ts';
import { openUsage } from './usage.ts';
import { workerScript } from './worker-scripts.ts';

/** An engine that lives in this process. */
export interface HostedEngine {
  readonly socket: string;
  /** Resolves when the engine has left: asked to, or idle. */
  readonly closed: Promise<void>;
  /**
   * Takes no new requests, ends builds, leaves containers running.
   * @param drain wait for what other clients have under way
   */
  close(options?: { readonly drain?: boolean }): Promise<void>;
}

/** The right to host the engine of a data folder: its lock, held by a process that stands in the engine's namespace. */
export interface Seat {
  readonly config: EngineConfig;
  readonly dataFolder: string;
  release(): void;
}

/**
 * Takes the seat, and moves this process to the engine's mount namespace. Call it before anything else does file I/O:
 * threads that exist already would stay behind.
 * @throws BerthError `conflict` when another process has the seat
 */
export function takeSeat(config: EngineConfig): Seat {
  const dataFolder = dataFolderOf(config);
  makePrivate(config.runRoot);
  makePrivate(config.root);
  mkdirSync(dataFolder, { recursive: true, mode: 0o711 });
  const { release } = lockRoot(`${dataFolder}/engine.lock`);
  try {
    enterEngineNamespace({ runFolder: config.runRoot });
    return { config, dataFolder, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Composition root of the server side: opens the stores, mends what an earlier engine left behind, and listens. */
export async function hostEngine(seat: Seat, log: (line: string) => void): Promise<HostedEngine> {
  try {
    return await open(seat, log);
  } catch (error) {
    seat.release();
    throw error;
  }
}

/** A failure that no client caused is worth its stack in the engine's log. */
function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Others must not list, or run setuid files from, what lies below. @see CVE-2021-41091 */
function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
}

async function open({ config, dataFolder, release }: Seat, log: (line: string) => void): Promise<HostedEngine> {
  keepHeapSmall();
  const temporary = `${dataFolder}/tmp`;
  const storage = await settleDriver({ dataFolder, wanted: config.storageDriver });
  const [snapshots, runtime, images, records, store] = await Promise.all([
    openLayerStore({
      dataFolder,
      driver: storage.driver,
      form: config.layerForm,
      worker: workerScript('layers'),
      limits: config.layerLimits,
    }),
    openRuntime({ runFolder: config.runRoot, dataFolder, defaultRuntime: config.runtime, log }),
    openImageStore(dataFolder),
    openStepRecords(dataFolder),
    openObjectStore(dataFolder),
  ]);
  const clock = { now: () => Date.now() };
  const blobs = openLayerBlobs(`${dataFolder}/cache/layer-blobs`);
  const garbage = openGarbage({
    layers: snapshots,
    images: images.engineImages,
    containers: async () => [...(await snapshots.parents()).values()].filter((chain) => chain !== null),
    records: () => records.chains(),
    notes: blobs,
  });
  const files = new RootFiles({ cacheFolder: `${dataFolder}/cache/stat`, worker: workerScript('files') });
  const networks = openNetworkHost({ engine: config.root, log });
  const buildPorts = openBuildPorts({ dataFolder, runFolder: config.runRoot, temporary, files });
  const engine = await createEngine({
    snapshots,
    images: images.engineImages,
    runtime,
    store,
    volumes: new VolumeFolders(`${dataFolder}/volumes`, files),
    caches: buildPorts.caches,
    networks,
    clock,
    spool: openSpool(dataFolder),
    garbage,
    defaults: { runtime: config.runtime, runtimes: ['crun', 'runc'], limits: hostLimits() },
  });
  const mark = markOpen(dataFolder);
  await runtime.recover(engine.liveContainerIds());
  await snapshots.sweep({ liveIds: new Set(await store.list('container')) });
  // The folder itself stays: how it spreads what is made in it has been told to the file system.
  for (const name of readdirSync(temporary)) rmSync(`${temporary}/${name}`, { recursive: true, force: true });
  const parts = { dataFolder, snapshots, images: images.engineImages, records, store, garbage };
  if (mark.wasLeft) await tidyUp(parts, log);
  await engine.recover();

  const registries = openRegistryClient(clock.now);
  const announce: AnnounceTransfer = (action, reference) =>
    engine.publish('image', action, familiarName(reference), { name: familiarRepository(reference) });
  const transfers = countTransfers();
  const pulls = transfers.pulls(
    createPulls(
      { snapshots, images: images.engineImages, garbage },
      { client: registries, folder: `${dataFolder}/downloads`, blobs, now: clock.now, announce },
    ),
  );
  const pushes = createPushes(
    { snapshots, images: images.engineImages, garbage },
    { client: registries, folder: `${dataFolder}/uploads`, blobs, now: clock.now, announce },
  );
  const builds = createBuilds({
    ports: {
      ...buildPorts,
      snapshots,
      files,
      runner: runStepsOnNetwork(runtime, () => engine.joinDefaultNetwork()),
      images: images.buildImages,
      records,
    },
    garbage,
    pulling: (local, auths) => pullingImages(local, pulls, auths),
    contextsFolder: temporary,
    unpackContext: (tar, folder) => files.unpackStream(tar, folder),
    now: clock.now,
  });
  const usage = openUsage({ ...parts, engine, caches: buildPorts.caches, transfers, clock });
  const server = createApiServer({
    engine,
    usage,
    builds,
    pulls,
    pushes: transfers.pushes(pushes),
    distribution: createDistribution(registries),
    registries: createRegistryServices({ client: registries, web: buildPorts.remotes.web, temporary }),
    system: createSystem({ config, engine, storage }),
    log: (message, error) => log(error === undefined ? message : `${message}: ${describe(error)}`),
  });
  await server.listenUnix({ path: config.socket });

  const { promise: closed, resolve: left } = Promise.withResolvers<void>();
  let closing: Promise<void> | undefined;
  const close = (options: { readonly drain?: boolean } = {}) => {
    closing ??= (async () => {
      stopWatching();
      await server.close(options);
      await engine.close();
      await runtime.close();
      await networks.close({ keep: engine.liveContainerIds().size > 0 });
      await pushes.close();
      registries.close();
      await records.flushUsage();
      mark.clear();
      release();
      left();
    })();
    return closing;
  };
  const stopWatching = watchIdleness({
    leaveAfterMs: config.idleSeconds * 1000,
    serving: () => server.activeRequests > 0,
    watching: () => engine.busy(),
    rest: () => {
      networks.rest();
      runtime.tidy();
      releaseMemory();
    },
    leave: () => void close(),
  });
  return { socket: config.socket, closed, close };
}
