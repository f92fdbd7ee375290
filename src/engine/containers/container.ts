import type { EventMessage, WaitResult } from '../../api/contract/index.ts';
import { formatRfc3339Nano } from '../../units/index.ts';
import type { PublishEvent } from '../events/bus.ts';
import type { PublishedPorts } from '../networks/network-host.ts';
import type { Networks } from '../networks/networks.ts';
import type { ContainerRoot, EnginePorts, ExitStatus, RunningProcess, StoredImage } from '../ports.ts';
import type { Volumes } from '../volumes/volumes.ts';
import { Lock } from './lock.ts';
import { OutputHub } from './output-hub.ts';
import type { ContainerRecord } from './record.ts';
import { isActive, type StateChange, transition } from './state.ts';
import type { ContainerTable } from './table.ts';
import { Waits } from './waits.ts';

/** What every operation on containers works with. */
export interface ContainersContext {
  readonly ports: EnginePorts;
  readonly table: ContainerTable;
  readonly volumes: Volumes;
  readonly networks: Networks;
  readonly publish: PublishEvent;
  /** @throws BerthError `not-found` */
  readonly resolveImage: (ref: string) => Promise<StoredImage>;
  /** Set when the engine leaves: containers go on without it and are not its business any more. */
  readonly closing: AbortSignal;
}

/** One life of a container's process. */
export interface Run {
  readonly process: RunningProcess;
  /** Resolves when the exit is recorded, and for `--rm` when the container is gone. */
  readonly settled: Promise<void>;
}

/** A container in this engine: its record and what is going on with it. */
export class Container {
  readonly lock = new Lock();
  readonly waits = new Waits();
  /** Who reads the log for a client; removal gives them a moment to finish. */
  readonly logReaders = new Set<Promise<unknown>>();
  /** Output of the process that runs, or else of the one that will. */
  hub = new OutputHub();
  run: Run | undefined;
  root: ContainerRoot | undefined;
  /** What the runtime may still know of; kept until it has forgotten. */
  process: RunningProcess | undefined;
  /** What the host has of its ports. */
  readonly published: PublishedPorts[] = [];
  /** Caches of builds that it has. */
  readonly caches: { release(): Promise<void> }[] = [];
  /** Ends the service that answers its questions for names. */
  names: AbortController | undefined;
  removed = false;
  /** A restart is not an end: `--rm` waits. */
  keepOnExit = false;
  record: ContainerRecord;

  constructor(record: ContainerRecord) {
    this.record = record;
  }

  get id(): string {
    return this.record.id;
  }

  /** The id's first 12 digits, as people see it. */
  get shortId(): string {
    return this.record.id.slice(0, 12);
  }

  get isActive(): boolean {
    return isActive(this.record.state);
  }

  /** Moves on in memory. @throws BerthError `conflict` */
  change(change: StateChange, residue: boolean): void {
    this.record = { ...this.record, state: transition(this.record.state, change), residue };
  }

  /** Ends the listeners of this life and opens the next one's hub. */
  closeHub(): void {
    this.hub.finish();
    this.hub = new OutputHub();
  }

  /** A failed start is told to who started it; the docker CLI would print an error here a second time. */
  waitResult(): WaitResult {
    return { StatusCode: this.record.state.exitCode, Error: null };
  }
}

/** The volumes of a container, each once. */
export function volumesOf({ record }: Container): readonly string[] {
  return [
    ...new Set(record.mounts.flatMap(({ Type, Name }) => (Type === 'volume' && Name !== undefined ? [Name] : []))),
  ];
}

export function save({ ports }: ContainersContext, container: Container): Promise<void> {
  return ports.store.write('container', container.id, container.record);
}

/** Publishes an event of a container, with the attributes that every one of them has. */
export function announce(
  context: ContainersContext,
  container: Container,
  action: string,
  attributes: EventMessage['Actor']['Attributes'] = {},
): void {
  const { config, imageName, name } = container.record;
  context.publish('container', action, container.id, { ...config.Labels, image: imageName, name, ...attributes });
}

/** The engine's time as containers record it. */
export function timestamp({ ports }: ContainersContext): string {
  return formatRfc3339Nano(ports.clock.now());
}

/** An exit that nobody could tell the code of. */
export function unknownExit(context: ContainersContext): ExitStatus {
  return { code: 255, oomKilled: false, at: timestamp(context) };
}

/** Waits for all, also for those that go on after one has failed; then throws the first failure. */
export async function allSettled(work: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) {
    if (result.status === 'rejected') throw result.reason;
  }
}
