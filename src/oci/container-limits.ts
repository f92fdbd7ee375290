/** Rate of a block device: bytes or operations a second, or a weight. */
export interface DeviceRate {
  readonly path: string;
  readonly rate: number;
}

/** What a container may use of the machine. Absent: as much as there is. */
export interface ContainerLimits {
  readonly memoryBytes?: number;
  /** Of memory and swap together; -1 is as much as there is. */
  readonly memorySwapBytes?: number;
  readonly memoryReservationBytes?: number;
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  readonly cpuShares?: number;
  /** Microseconds, as the quota in each period. */
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpuRealtimePeriod?: number;
  readonly cpuRealtimeRuntime?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pids?: number;
  readonly blkioWeight?: number;
  readonly blkioWeightDevice?: readonly DeviceRate[];
  readonly readBps?: readonly DeviceRate[];
  readonly writeBps?: readonly DeviceRate[];
  readonly readIops?: readonly DeviceRate[];
  readonly writeIops?: readonly DeviceRate[];
}

/** Which limits this host can keep. */
export interface HostLimits {
  readonly version: '1' | '2';
  readonly cpus: number;
  readonly memoryNodes: number;
  readonly memory: boolean;
  readonly swap: boolean;
  readonly cpu: boolean;
  readonly cpuset: boolean;
  readonly pids: boolean;
  readonly blkio: boolean;
  readonly blkioWeight: boolean;
}

export interface Ulimit {
  readonly name: string;
  /** -1 is unlimited. */
  readonly soft: number;
  readonly hard: number;
}

/** `default` is what Docker takes when nothing is said. */
export type NamespaceChoice =
  | { readonly kind: 'default' | 'host' | 'none' | 'shareable' | 'private' }
  | { readonly kind: 'container'; readonly container: string }
  /** A container's, found: the namespace of this process. */
  | { readonly kind: 'process'; readonly pid: number; readonly bundle: string };

/** How far a container is apart from the host and from others. */
export interface ContainerIsolation {
  readonly oomScoreAdj: number;
  readonly ulimits: readonly Ulimit[];
  readonly devices: readonly { readonly source: string; readonly target: string; readonly permissions: string }[];
  /** As `c 1:3 rwm`. */
  readonly deviceRules: readonly string[];
  /** Empty: the engine's own. */
  readonly cgroupParent: string;
  /** Names or numbers, looked up in the root. */
  readonly groups: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly namespaces: {
    readonly ipc: NamespaceChoice;
    readonly pid: NamespaceChoice;
    readonly uts: NamespaceChoice;
    readonly cgroup: NamespaceChoice;
  };
  readonly noNewPrivileges?: boolean;
  /** A profile is in Docker's or in the runtime's form. */
  readonly seccomp?: 'default' | 'unconfined' | { readonly profile: Readonly<Record<string, unknown>> };
  readonly apparmor?: string;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
}
