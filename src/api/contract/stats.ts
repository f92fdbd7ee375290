/** `/containers/{id}/stats`, as far as clients read it. Times of CPUs are nanoseconds. @see Docker Engine API v1.50 */
export interface StatsBody {
  /** With a leading slash. */
  readonly name: string;
  readonly id: string;
  /** RFC 3339; year 1 for a container that does not run. */
  readonly read: string;
  readonly preread: string;
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
  readonly blkio_stats: Readonly<Record<string, readonly BlkioStatBody[] | null>>;
  readonly num_procs: number;
  readonly storage_stats: object;
  readonly cpu_stats: CpuStatsBody;
  readonly precpu_stats: CpuStatsBody;
  readonly memory_stats: {
    readonly usage?: number;
    readonly max_usage?: number;
    readonly failcnt?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly networks?: Readonly<Record<string, NetworkStatsBody>>;
}

export interface CpuStatsBody {
  readonly cpu_usage: {
    readonly total_usage: number;
    readonly percpu_usage?: readonly number[];
    readonly usage_in_kernelmode: number;
    readonly usage_in_usermode: number;
  };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: {
    readonly periods: number;
    readonly throttled_periods: number;
    readonly throttled_time: number;
  };
}

export interface BlkioStatBody {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

export interface NetworkStatsBody {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}
