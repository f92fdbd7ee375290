/** What a container has used of the machine so far, and holds now. */
export interface ContainerUsage {
  readonly cgroups: '1' | '2';
  readonly cpu: CpuUsage;
  readonly memory: MemoryUsage;
  readonly pids: { readonly current: number; readonly limit?: number };
  readonly blockIo: BlockIoUsage;
  /** By the name of the interface in the container. Empty on the host's network. */
  readonly interfaces: Readonly<Record<string, InterfaceCounters>>;
  readonly host: HostUsage;
}

/** The machine at the same moment: what shares are told of. */
export interface HostUsage {
  /** Nanoseconds that all CPUs together have passed, idle ones too. */
  readonly cpuTotal: number;
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** Nanoseconds. */
export interface CpuUsage {
  readonly total: number;
  readonly user: number;
  readonly kernel: number;
  /** Cgroup v1 only. */
  readonly perCpu?: readonly number[];
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttled: number;
}

/** Bytes. */
export interface MemoryUsage {
  readonly usage: number;
  /** Cgroup v1 only. */
  readonly maxUsage?: number;
  readonly failures?: number;
  /** Absent: as much as the machine has. */
  readonly limit?: number;
  /** The kernel's `memory.stat`, as it is. */
  readonly stats: Readonly<Record<string, number>>;
}

export interface BlockIoUsage {
  readonly bytes: readonly BlockIoEntry[];
  readonly operations: readonly BlockIoEntry[];
}

export interface BlockIoEntry {
  readonly major: number;
  readonly minor: number;
  /** `read`, `write`, and on v1 others. */
  readonly op: string;
  readonly value: number;
}

export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}
