import { BerthError } from '../errors/index.ts';
import type { EngineApi } from './api.ts';
import {
  type ContainersContext,
  ContainerTable,
  createContainers,
  Execs,
  loadContainers,
  recoverContainers,
} from './containers/index.ts';
import { EventBus, type PublishEvent } from './events/bus.ts';
import { createImages, type Images, resolveImage } from './images/index.ts';
import { createNetworks } from './networks/index.ts';
import { Networks } from './networks/networks.ts';
import { joinDefaultNetwork, type StepNetwork } from './networks/step-network.ts';
import type { EnginePorts } from './ports.ts';
import { Volumes } from './volumes/volumes.ts';

export type * from './api.ts';
export type { StepNetwork } from './networks/step-network.ts';
export * from './usage/index.ts';

/** The engine of one root folder, and what its host needs to know of it. */
export interface Engine extends EngineApi {
  readonly images: Images;
  /** The default network, for a step of a build. */
  joinDefaultNetwork(): Promise<StepNetwork>;
  /** Tells an event to those who watch. */
  readonly publish: PublishEvent;
  /** Takes over what an earlier engine left. Before any client is served. */
  recover(): Promise<void>;
  /** True while there is something to watch or somebody waits: then the engine must not leave. */
  busy(): boolean;
  /** Containers that run, or ran when the engine was last here: their roots and runtime state have to stay. */
  liveContainerIds(): ReadonlySet<string>;
  /** Lets go of everything: containers run on, clients' streams end. Idempotent. */
  close(): Promise<void>;
}

/** Builds an engine on its ports and reads the records. Nothing is changed until `recover` is called. */
export async function createEngine(ports: EnginePorts): Promise<Engine> {
  const events = new EventBus(ports.clock);
  const table = new ContainerTable();
  const closing = new AbortController();
  const volumes = new Volumes(ports, events.publish);
  const networks = new Networks(ports, events.publish);
  await Promise.all([volumes.load(), networks.load()]);
  const context: ContainersContext = {
    ports,
    table,
    volumes,
    networks,
    publish: events.publish,
    resolveImage: async (ref) => (await resolveImage(ports.images, ref)).image,
    closing: closing.signal,
  };
  await loadContainers(context);
  const execs = new Execs(context);
  const containers = createContainers(context, execs);
  const images = createImages(ports, {
    emit: events.emit,
    containersUsing: async (image) =>
      [...table.values()]
        .filter(({ record }) => record.image === image)
        .map(({ id, record, isActive }) => ({ id, name: record.name, running: isActive })),
  });
  return {
    containers,
    execs,
    images,
    volumes,
    networks: createNetworks(context),
    joinDefaultNetwork: () => joinDefaultNetwork(networks, ports),
    publish: events.publish,
    events: { subscribe: (options) => events.subscribe(options) },
    recover: async () => {
      await ports.networks.recover(networks.bridgeNames(), () => recoverContainers(context));
      await volumes.recover();
    },
    busy: () => [...table.values()].some(({ isActive, waits, lock }) => isActive || waits.size > 0 || lock.isHeld),
    liveContainerIds: () => new Set([...table.values()].filter(({ isActive }) => isActive).map(({ id }) => id)),
    close: async () => {
      if (closing.signal.aborted) return;
      closing.abort(new BerthError('unavailable', 'the engine is shutting down'));
      // What has begun is finished, so that records and the machine agree.
      await Promise.all([...table.values()].map(({ lock }) => lock.run(async () => undefined)));
      for (const { hub } of table.values()) hub.finish();
      events.close();
    },
  };
}
