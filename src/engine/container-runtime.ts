import type { Duplex } from 'node:stream';
import type { ContainerIsolation, ContainerLimits, ContainerUsage } from '../oci/index.ts';

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
