import type { Duplex } from 'node:stream';
import type {
  ChainId,
  ContainerIsolation,
  ContainerLimits,
  ContainerUsage,
  DiffId,
  HostLimits,
  ImageConfig,
  ImageId,
} from '../oci/index.ts';
import type { NetworkHost } from './networks/network-host.ts';

/** What the engine needs from the machine. `daemon` supplies adapters; tests supply fakes. */
export interface EnginePorts {
  readonly snapshots: EngineSnapshots;
  readonly images: ImageStore;
  readonly runtime: ContainerRuntime;
  readonly store: ObjectStore;
  readonly volumes: VolumeHost;
  /** Folders that builds keep between them. */
  readonly caches?: CacheFolders;
  readonly networks: NetworkHost;
  readonly clock: Clock;
  readonly spool: Spool;
  readonly garbage: LayerGarbage;
  /** The container defaults of this engine. */
  readonly defaults: {
    readonly runtime: string;
    readonly runtimes: readonly string[];
    /** Which limits this host can keep. Absent: all of them. */
    readonly limits?: HostLimits;
  };
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A mounted, writable root of a container. */
export interface ContainerRoot {
  readonly id: string;
  readonly path: string;
  readonly parent: ChainId | null;
}

export interface CommittedLayer {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  readonly sizeBytes: number;
}

export interface EngineSnapshots {
  /** `overlay2`, `vfs`: what `info` calls the storage driver. */
  readonly driver: string;
  has(chain: ChainId): Promise<boolean>;
  /** Makes the writable layer of a container (not mounted). It stays until `remove`. */
  create(id: string, parent: ChainId | null): Promise<void>;
  /** Mounts a container's writable layer; mounting twice gives the same mount. */
  mount(id: string): Promise<ContainerRoot>;
  /** Unmounts, keeps the writable layer. Idempotent. */
  unmount(id: string): Promise<void>;
  /** Unmounts and deletes the writable layer. Idempotent. */
  remove(id: string): Promise<void>;
  /** Every writable layer that exists, for recovery. */
  ids(): Promise<readonly string[]>;
  /** Copies the container's changes into a new committed layer; the container keeps running. */
  commitCopy(id: string): Promise<CommittedLayer>;
  /** The merged tree of a container as an uncompressed tar. */
  exportTar(id: string): AsyncIterable<Uint8Array>;
  /** Bytes of file content in the container's writable layer. */
  usage(id: string): Promise<number>;
  /** Reads a layer tar (plain, gzip or zstd) and commits it on `parent`. Refuses hostile entries by name. */
  apply(
    parent: ChainId | null,
    tar: AsyncIterable<Uint8Array>,
    options?: { readonly expected?: DiffId; readonly signal?: AbortSignal },
  ): Promise<CommittedLayer>;
  /** The uncompressed tar of a committed layer; its digest is the diff ID. */
  layerTar(chain: ChainId): AsyncIterable<Uint8Array>;
  /** `parent` is null for a lowest layer. */
  layerInfo(
    chain: ChainId,
  ): Promise<(CommittedLayer & { readonly tarBytes: number; readonly parent?: ChainId | null }) | undefined>;
  /** Deletes a layer that no image, container or child layer needs. */
  removeLayer(chain: ChainId): Promise<void>;
}

export interface StoredImage {
  readonly id: ImageId;
  readonly config: ImageConfig;
  /** The config document's exact bytes, whose digest is the id. */
  readonly configBytes: Uint8Array;
  /** Canonical references, with tag, that point here. */
  readonly names: readonly string[];
  /** Canonical `name@digest` references by which it was pulled or pushed. */
  readonly repoDigests: readonly string[];
  /** ISO time of the last tag change. */
  readonly taggedAt: string;
}

/** Image configs and the names that point at them. */
export interface ImageStore {
  /** By canonical name (tag or digest). */
  find(name: string): Promise<StoredImage | undefined>;
  get(id: ImageId): Promise<StoredImage | undefined>;
  list(): Promise<readonly StoredImage[]>;
  /** Stores a config document (exact bytes) and points the names at it, names last. */
  put(configBytes: Uint8Array, names: readonly string[], repoDigests?: readonly string[]): Promise<StoredImage>;
  tag(id: ImageId, name: string): Promise<void>;
  untag(name: string): Promise<void>;
  /** Removes the config and every name. Layers are the caller's business. */
  remove(id: ImageId): Promise<void>;
}

/** Room on disk for parts of an archive that come before they can be used. */
export interface Spool {
  open(): Promise<SpoolArea>;
}

/** One operation's spooled parts. Nothing of it survives `close`, nor an engine restart. */
export interface SpoolArea {
  /** Keeps a part under a key of the caller's choice (never used as a path). @returns bytes written */
  write(key: string, content: AsyncIterable<Uint8Array>): Promise<number>;
  /** A part may be read several times. */
  read(key: string): AsyncIterable<Uint8Array>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Decides which committed layers may go. It knows everything that needs a layer: images, containers, build records. */
export interface LayerGarbage {
  /**
   * Keeps layers from being removed while an operation still has to point an image at them. They need not exist yet.
   * Resolves when no removal is running; what `has` says afterwards stays true until the release (which is idempotent).
   */
  lease(chains: readonly ChainId[]): Promise<() => void>;
  /** Deletes those of the layers that nothing needs. @returns the chains that are gone, highest first */
  removeUnneeded(chains: readonly ChainId[]): Promise<readonly ChainId[]>;
}

export type ObjectKind = 'container' | 'network' | 'volume';

/** Small JSON documents, one file each, replaced atomically and durably. */
export interface ObjectStore {
  read<T>(kind: ObjectKind, id: string): Promise<T | undefined>;
  write(kind: ObjectKind, id: string, value: unknown): Promise<void>;
  remove(kind: ObjectKind, id: string): Promise<void>;
  list(kind: ObjectKind): Promise<readonly string[]>;
  /** Folder for files of one object (a log, a volume's data), made when missing. `remove` deletes it, too. */
  folder(kind: ObjectKind, id: string): Promise<string>;
}

/** Folders that RUN steps and containers share, by id. */
export interface CacheFolders {
  open(request: {
    readonly id: string;
    readonly sharing: 'shared' | 'private' | 'locked';
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly signal: AbortSignal;
  }): Promise<{ readonly path: string; release(): Promise<void> }>;
}

/** Folders for data that outlives containers. */
export interface VolumeHost {
  /** Every volume that has data, known to a record or not. */
  names(): Promise<readonly string[]>;
  /** Where the data lies. */
  pathOf(name: string): string;
  /** @throws BerthError `invalid` for options that the local driver does not have */
  checkOptions(options: Readonly<Record<string, string>>): void;
  /** Idempotent. */
  create(name: string): Promise<void>;
  /** Deletes the data. */
  remove(name: string): Promise<void>;
  /** Mounts what the options say over the folder. Idempotent. */
  mount(name: string, options: Readonly<Record<string, string>>): Promise<void>;
  unmount(name: string): Promise<void>;
  /** Fills an empty volume with a folder of a root, and gives it that folder's owner and mode. */
  populate(name: string, source: { readonly root: string; readonly path: string }): Promise<void>;
  /** Bytes of file content. */
  usage(name: string): Promise<number>;
}

/** Everything that decides a container's process, resolved: no defaults are left. */
export interface ContainerSpec {
  readonly id: string;
  readonly runtime: string;
  readonly rootPath: string;
  readonly readonlyRoot: boolean;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `user[:group]`, names or numbers, looked up in the root. Empty is root. */
  readonly user: string;
  readonly hostname: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  /** The end of the first client's input is the end of the process's. Otherwise its stdin stays open for the next. */
  readonly stdinOnce: boolean;
  /** The host's, none but a loopback, or what is at a path, which need not exist for longer than `create` takes. */
  readonly network: 'host' | 'none' | { readonly namespacePath: string };
  /** The texts of files that are not to be what the network implies. */
  readonly names?: { readonly hosts?: string; readonly resolvConf?: string };
  readonly init: boolean;
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly binds: readonly {
    readonly source: string;
    readonly target: string;
    readonly readonly: boolean;
    readonly options: readonly string[];
    /** Nothing is made in the place of a missing source: it is an error. */
    readonly mustExist?: boolean;
    /** A path within the source: its links do not lead out of the source, not even when they change meanwhile. */
    readonly subpath?: string;
  }[];
  readonly tmpfs: readonly { readonly target: string; readonly options: string }[];
  readonly shmSizeBytes: number;
  readonly limits?: ContainerLimits;
  readonly isolation?: ContainerIsolation;
}

/** A container's process as it was started. Enough to find it again after an engine restart; it is persisted. */
export interface RunningProcess {
  readonly pid: number;
  /** Start time of the process in clock ticks (`/proc/PID/stat` field 22), so that a reused pid is not mistaken. */
  readonly startTicks: string;
  readonly supervisorPid: number;
  readonly bundle: string;
}

export interface ExitStatus {
  readonly code: number;
  readonly oomKilled: boolean;
  /** ISO time. */
  readonly at: string;
}

/** Live streams of a container or exec. Without a tty, `output` yields tagged chunks; with one all are `stdout`. */
export interface AttachedStreams {
  readonly output: AsyncIterable<{ readonly stream: 'stdout' | 'stderr'; readonly chunk: Buffer }>;
  /** Writes to the process's stdin. */
  write(chunk: Uint8Array): Promise<void>;
  /** EOF on the process's stdin. */
  closeStdin(): void;
  /** Stops listening; the container goes on. Idempotent. */
  close(): void;
}

export interface ExecSpec {
  readonly id: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly privileged: boolean;
}

export interface RunningExec {
  readonly pid: number;
  readonly streams: AttachedStreams;
  readonly exited: Promise<number>;
  resize(rows: number, columns: number): Promise<void>;
}

/**
 * Starts, watches and ends processes in containers. Backed by an OCI runtime and a supervisor that outlives the engine.
 * `create` errors tell why: kind `not-found` (command not found: exit 127), `forbidden` (not executable: 126), `invalid`.
 */
export interface ContainerRuntime {
  /** Sets the container up, paused before its command. Output is logged to `logPath` from the first byte. */
  create(spec: ContainerSpec, logPath: string): Promise<RunningProcess>;
  /** Lets the command go. */
  start(id: string, process: RunningProcess): Promise<void>;
  /** Resolves once, when the process ends; also for a process found again after a restart. */
  exited(id: string, process: RunningProcess): Promise<ExitStatus>;
  isAlive(process: RunningProcess): boolean;
  /** Signals the main process. @throws BerthError `conflict` when it is gone */
  signal(process: RunningProcess, signal: number): void;
  attach(id: string, process: RunningProcess): Promise<AttachedStreams>;
  resize(process: RunningProcess, rows: number, columns: number): Promise<void>;
  /** Changes `/etc/hosts` and `/etc/resolv.conf` of a running container. */
  writeNames?(process: RunningProcess, files: { readonly hosts: string; readonly resolvConf: string }): void;
  exec(id: string, process: RunningProcess, spec: ExecSpec): Promise<RunningExec>;
  /** Stops all processes of the container where they are. @throws BerthError `conflict` when it is gone */
  pause(process: RunningProcess): Promise<void>;
  resume(process: RunningProcess): Promise<void>;
  /** Sets limits of a running container; what is absent stays. @throws BerthError `invalid` when the kernel refuses */
  update(id: string, process: RunningProcess, limits: ContainerLimits): Promise<void>;
  /** @throws BerthError `conflict` when it is gone */
  usage(process: RunningProcess): Promise<ContainerUsage>;
  /** Deletes runtime state, kills what is left. Idempotent. */
  delete(id: string, process: RunningProcess | undefined): Promise<void>;
  /** What `ps` tells of the container's processes. Absent where that cannot be told. */
  processes?(process: RunningProcess, psArgs: string): Promise<ProcessTable>;
  /** Log entries of a container in order, oldest first; with `follow`, goes on until the signal. */
  readLog(logPath: string, options: LogOptions): AsyncIterable<LogEntry>;
}

export interface ProcessTable {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

export interface LogOptions {
  readonly follow: boolean;
  /** Number of last lines, or all. */
  readonly tail: number | 'all';
  /** Milliseconds since the epoch. */
  readonly since?: number;
  /** A follower ends when this has passed, however silent the container is. */
  readonly until?: number;
  readonly signal?: AbortSignal;
  /** Tells a follower that nothing more will come. */
  readonly ended?: Promise<unknown>;
}

/** One line, with its newline when it had one. */
export interface LogEntry {
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  readonly line: Buffer;
}

/** Half of a client connection that an attach or exec stream is bound to. */
export type ClientStream = Duplex;
