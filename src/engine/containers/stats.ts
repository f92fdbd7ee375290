import { setTimeout as sleep } from 'node:timers/promises';
import type { CpuStatsBody, StatsBody } from '../../api/contract/index.ts';
import { toBerthError } from '../../errors/index.ts';
import type { BlockIoEntry, ContainerUsage, InterfaceCounters } from '../../oci/index.ts';
import { zeroTime } from '../../units/index.ts';
import type { StatsQuery } from '../api.ts';
import { type Container, type ContainersContext, timestamp } from './container.ts';

const INTERVAL_MS = 1000;

interface Sample {
  readonly usage: ContainerUsage;
  readonly read: string;
}

/**
 * What a container uses: once a second until it ends, or once. An only sample is the second of two, so that shares of
 * CPU time can be told, unless `oneShot` asks for what is known at once.
 */
export async function* containerStats(
  context: ContainersContext,
  container: Container,
  { stream, oneShot, signal }: StatsQuery,
): AsyncGenerator<StatsBody> {
  const gone = AbortSignal.any([signal, context.closing]);
  let before: Sample | undefined;
  let next = performance.now();
  for (;;) {
    const sample = await takeSample(context, container);
    if (!sample) {
      // One that does not run has nothing to tell, and clients wait for an answer.
      if (!before) yield emptyStats(container);
      return;
    }
    if (stream || oneShot || before) yield statsBody(container, sample, before);
    if (!stream && (oneShot || before)) return;
    before = sample;
    next = Math.max(next + INTERVAL_MS, performance.now());
    await sleep(next - performance.now(), undefined, { signal: gone }).catch(() => undefined);
    if (gone.aborted) return;
  }
}

async function takeSample(context: ContainersContext, container: Container): Promise<Sample | undefined> {
  const { run } = container;
  if (!run || container.removed) return undefined;
  try {
    const usage = await context.ports.runtime.usage(run.process);
    return { usage, read: timestamp(context) };
  } catch (error) {
    // It has just ended.
    if (toBerthError(error).kind === 'conflict') return undefined;
    throw error;
  }
}

function emptyStats({ id, record }: Container): StatsBody {
  const noCpu: CpuStatsBody = {
    cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  };
  return {
    name: `/${record.name}`,
    id,
    read: zeroTime,
    preread: zeroTime,
    pids_stats: {},
    blkio_stats: blockIo(undefined),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: noCpu,
    precpu_stats: noCpu,
    memory_stats: {},
  };
}

/** In Docker's form. @see moby daemon/stats_unix.go */
function statsBody(container: Container, { usage, read }: Sample, before: Sample | undefined): StatsBody {
  const { pids, memory, host, interfaces } = usage;
  const networks = Object.entries(interfaces).map(([name, counters]) => [name, networkStats(counters)] as const);
  const { maxUsage, failures } = memory;
  return {
    ...emptyStats(container),
    read,
    preread: before?.read ?? zeroTime,
    pids_stats: { current: pids.current, ...(pids.limit === undefined ? {} : { limit: pids.limit }) },
    blkio_stats: blockIo(usage),
    cpu_stats: cpuStats(usage),
    ...(before ? { precpu_stats: cpuStats(before.usage) } : {}),
    memory_stats: {
      usage: memory.usage,
      ...(maxUsage === undefined ? {} : { max_usage: maxUsage }),
      ...(failures === undefined ? {} : { failcnt: failures }),
      stats: memory.stats,
      limit: Math.min(memory.limit ?? host.memoryBytes, host.memoryBytes),
    },
    ...(networks.length > 0 ? { networks: Object.fromEntries(networks) } : {}),
  };
}

function cpuStats({ cpu, host }: ContainerUsage): CpuStatsBody {
  return {
    cpu_usage: {
      total_usage: cpu.total,
      ...(cpu.perCpu ? { percpu_usage: cpu.perCpu } : {}),
      usage_in_kernelmode: cpu.kernel,
      usage_in_usermode: cpu.user,
    },
    system_cpu_usage: host.cpuTotal,
    online_cpus: host.cpus,
    throttling_data: {
      periods: cpu.periods,
      throttled_periods: cpu.throttledPeriods,
      throttled_time: cpu.throttled,
    },
  };
}

function blockIo(usage: ContainerUsage | undefined): StatsBody['blkio_stats'] {
  const isV1 = usage?.cgroups === '1';
  return {
    io_service_bytes_recursive: usage ? entries(usage.blockIo.bytes) : null,
    io_serviced_recursive: isV1 ? entries(usage.blockIo.operations) : null,
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}

function entries(list: readonly BlockIoEntry[]) {
  return list.length === 0 ? null : list;
}

function networkStats(counters: InterfaceCounters) {
  return {
    rx_bytes: counters.rxBytes,
    rx_packets: counters.rxPackets,
    rx_errors: counters.rxErrors,
    rx_dropped: counters.rxDropped,
    tx_bytes: counters.txBytes,
    tx_packets: counters.txPackets,
    tx_errors: counters.txErrors,
    tx_dropped: counters.txDropped,
  };
}
