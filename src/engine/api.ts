import type { Duplex } from 'node:stream';
import type {
  ContainerCreateBody,
  ContainerCreated,
  ContainerInspect,
  ContainerSummary,
  ContainerUpdated,
  EndpointSettingsBody,
  EventMessage,
  ExecCreateBody,
  ExecInspect,
  Filters,
  HostConfigBody,
  ImageDeleted,
  ImageHistory,
  ImageInspect,
  ImageSummary,
  JsonMessage,
  NetworkBody,
  NetworkCreateBody,
  NetworkCreated,
  NetworksPruned,
  StatsBody,
  VolumeBody,
  VolumeCreateBody,
  VolumeListBody,
  VolumesPruned,
  WaitCondition,
  WaitResult,
} from '../api/contract/index.ts';
import type { LogEntry } from './ports.ts';

/** What the engine offers. `api/server` serves it over HTTP; tests and the library call it directly. */
export interface EngineApi {
  readonly containers: ContainersApi;
  readonly execs: ExecsApi;
  readonly images: ImagesApi;
  readonly volumes: VolumesApi;
  readonly networks: NetworksApi;
  readonly events: EventsApi;
}

/** `ref` is a full id, a unique id prefix, or a name. */
export interface ContainersApi {
  create(name: string | undefined, body: ContainerCreateBody): Promise<ContainerCreated>;
  start(ref: string): Promise<void>;
  /** Stop signal, then SIGKILL after `timeoutSeconds` (default: the container's own, then 10; -1 waits for ever). */
  stop(ref: string, options: { timeoutSeconds?: number; signal?: string }): Promise<void>;
  restart(ref: string, options: { timeoutSeconds?: number; signal?: string }): Promise<void>;
  kill(ref: string, signal: string): Promise<void>;
  remove(ref: string, options: { force: boolean; volumes: boolean }): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  /** Changes limits; fields are those of `HostConfig`. What is 0 or empty stays. */
  update(ref: string, body: HostConfigBody): Promise<ContainerUpdated>;
  /** Found when the promise resolves; the sequence ends with the container or the signal. */
  stats(ref: string, options: StatsQuery): Promise<AsyncIterable<StatsBody>>;
  rename(ref: string, name: string): Promise<void>;
  /** The condition is armed when the outer promise resolves: headers go out then. */
  wait(ref: string, condition: WaitCondition, signal: AbortSignal): Promise<{ result: Promise<WaitResult> }>;
  inspect(ref: string, options: { size: boolean }): Promise<ContainerInspect>;
  list(options: {
    all: boolean;
    limit?: number;
    size: boolean;
    filters: Filters;
  }): Promise<readonly ContainerSummary[]>;
  logs(ref: string, options: LogsQuery): Promise<{ tty: boolean; entries: AsyncIterable<LogEntry> }>;
  attach(ref: string, options: AttachQuery): Promise<Attachment>;
  resize(ref: string, rows: number, columns: number): Promise<void>;
  exportTar(ref: string): Promise<AsyncIterable<Uint8Array>>;
  commit(ref: string, options: CommitQuery): Promise<{ Id: string }>;
  top(ref: string, psArgs: string): Promise<{ Titles: readonly string[]; Processes: readonly (readonly string[])[] }>;
}

export interface StatsQuery {
  readonly stream: boolean;
  /** One sample at once, without one before it to compare with. */
  readonly oneShot: boolean;
  readonly signal: AbortSignal;
}

export interface LogsQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  readonly tail: number | 'all';
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  readonly signal: AbortSignal;
}

export interface AttachQuery {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly stream: boolean;
  readonly logs: boolean;
  readonly detachKeys?: string;
}

/** A container's or exec's streams, ready to be bound to a connection. */
export interface Attachment {
  readonly tty: boolean;
  /**
   * Copies output to the connection (framed unless tty) and the connection to stdin, until either ends.
   * Writing never waits on a slow client for longer than its bounded queue.
   */
  bind(connection: Duplex): Promise<void>;
}

export interface ExecsApi {
  create(containerRef: string, body: ExecCreateBody): Promise<{ Id: string }>;
  /** Starts it; the attachment's `bind` must follow unless `detach`. */
  start(
    id: string,
    options: { detach: boolean; tty: boolean; rows?: number; columns?: number },
  ): Promise<Attachment | null>;
  resize(id: string, rows: number, columns: number): Promise<void>;
  inspect(id: string): Promise<ExecInspect>;
}

export interface CommitQuery {
  readonly repo?: string;
  readonly tag?: string;
  readonly comment?: string;
  readonly author?: string;
  readonly changes: readonly string[];
  readonly pause: boolean;
}

/** `ref` is a reference, an image id, or a unique id prefix. */
export interface ImagesApi {
  /** `sharedSize`: tell also `SharedSize` and `Containers`, which are -1 otherwise. */
  list(options: { all: boolean; filters: Filters; sharedSize?: boolean }): Promise<readonly ImageSummary[]>;
  inspect(ref: string): Promise<ImageInspect>;
  history(ref: string): Promise<readonly ImageHistory[]>;
  tag(ref: string, repo: string, tag: string | undefined): Promise<void>;
  remove(ref: string, options: { force: boolean; prune: boolean }): Promise<readonly ImageDeleted[]>;
  /** docker-archive with OCI layout in one tar, as Docker 25+ writes it. `names` keep their tags. */
  save(refs: readonly string[]): Promise<AsyncIterable<Uint8Array>>;
  load(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<JsonMessage>;
  /** Makes an image of one layer from a root file system tar, compressed or not. */
  import(tar: AsyncIterable<Uint8Array>, options: ImportQuery): AsyncIterable<JsonMessage>;
}

/** `ref` is a full id, a unique id prefix, or a name. */
export interface NetworksApi {
  /** @throws BerthError `conflict` (name), `invalid`, `forbidden` (overlap), `not-found` (driver), `exhausted` */
  create(body: NetworkCreateBody): Promise<NetworkCreated>;
  inspect(ref: string): Promise<NetworkBody>;
  list(options: { filters: Filters }): Promise<readonly NetworkBody[]>;
  /** @throws BerthError `forbidden` while containers are in it */
  remove(ref: string): Promise<void>;
  prune(options: { filters: Filters }): Promise<NetworksPruned>;
  connect(ref: string, container: string, settings: EndpointSettingsBody): Promise<void>;
  disconnect(ref: string, container: string): Promise<void>;
}

export interface VolumesApi {
  /** A volume of that name is given back as it is. @throws BerthError `invalid`, `not-found` (driver) */
  create(body: VolumeCreateBody): Promise<VolumeBody>;
  inspect(name: string): Promise<VolumeBody>;
  list(options: { filters: Filters }): Promise<VolumeListBody>;
  /** @throws BerthError `conflict` while a container has it, `not-found` unless `force` */
  remove(name: string, options: { force: boolean }): Promise<void>;
  /** Removes what no container has: with the filter `all` also what somebody named. */
  prune(options: { filters: Filters }): Promise<VolumesPruned>;
  usage(): Promise<readonly VolumeBody[]>;
}

export interface ImportQuery {
  readonly repo?: string;
  readonly tag?: string;
  readonly message?: string;
  readonly changes: readonly string[];
  readonly platform?: string;
  readonly signal: AbortSignal;
}

export interface EventsApi {
  subscribe(options: {
    since?: number;
    until?: number;
    filters: Filters;
    signal: AbortSignal;
  }): AsyncIterable<EventMessage>;
}
