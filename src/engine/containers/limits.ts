import type { HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { ContainerLimits, DeviceRate, HostLimits } from '../../oci/index.ts';
import { integerOf, listOf, recordOf, textOf } from './fields.ts';

const MIB = 1024 * 1024;
/** The least memory with which a process can start. @see moby daemon/daemon_unix.go, linuxMinMemory */
const MIN_MEMORY = 6 * MIB;

export interface CheckedLimits {
  readonly limits: ContainerLimits;
  /** For limits that this host cannot keep: they are dropped. */
  readonly warnings: readonly string[];
}

/** A host that can keep every limit. */
export const EVERY_LIMIT: HostLimits = {
  version: '1',
  cpus: 1024,
  memoryNodes: 64,
  memory: true,
  swap: true,
  cpu: true,
  cpuset: true,
  pids: true,
  blkio: true,
  blkioWeight: true,
};

/**
 * What a request limits, checked as Docker does, with Docker's defaults. Pure.
 * @throws BerthError `invalid`
 * @see moby daemon/daemon_unix.go, verifyPlatformContainerResources
 */
export function checkedLimits(host: HostConfigBody, machine: HostLimits): CheckedLimits {
  const warnings: string[] = [];
  const limits = {
    ...memoryLimits(host, machine, warnings),
    ...cpuLimits(host, machine, warnings),
    ...pidsLimit(host, machine, warnings),
    ...blockLimits(host, machine, warnings),
  };
  return { limits, warnings };
}

function memoryLimits(host: HostConfigBody, machine: HostLimits, warnings: string[]): ContainerLimits {
  const memory = integerOf(host, 'Memory');
  const swap = integerOf(host, 'MemorySwap');
  const reservation = integerOf(host, 'MemoryReservation');
  const swappiness = host['MemorySwappiness'] == null ? undefined : integerOf(host, 'MemorySwappiness');
  if (memory !== 0 && memory < MIN_MEMORY) throw invalid('Minimum memory limit allowed is 6MB');
  if (memory > 0 && swap > 0 && swap < memory) {
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && swap > 0) {
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (swappiness !== undefined && (swappiness < -1 || swappiness > 100)) {
    throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  }
  if (reservation > 0 && reservation < MIN_MEMORY) throw invalid('Minimum memory reservation allowed is 6MB');
  if (memory > 0 && reservation > memory) {
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
  if (integerOf(host, 'KernelMemory') !== 0) {
    warnings.push('Specifying a kernel memory limit is deprecated and has no effect.');
  }
  if (!machine.memory) {
    const given = memory !== 0 || reservation !== 0;
    if (given) warnings.push(discarded('memory limit capabilities or the cgroup is not mounted'));
    return {};
  }
  const canSwap = machine.swap && memory > 0;
  if (memory > 0 && swap !== 0 && !machine.swap) {
    warnings.push(
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    );
  }
  return {
    ...(memory > 0 ? { memoryBytes: memory } : {}),
    // As much swap again as memory, unless another sum was asked for.
    ...(canSwap ? { memorySwapBytes: swap === 0 ? memory * 2 : swap } : {}),
    ...(reservation > 0 ? { memoryReservationBytes: reservation } : {}),
    ...(swappiness !== undefined && swappiness >= 0 && machine.version === '1' ? { memorySwappiness: swappiness } : {}),
    ...(host['OomKillDisable'] === true ? oomKillDisable(machine, warnings) : {}),
  };
}

function oomKillDisable({ version }: HostLimits, warnings: string[]): ContainerLimits {
  if (version === '1') return { oomKillDisable: true };
  warnings.push(discarded('OomKillDisable').replace('Limitation', 'OomKillDisable'));
  return {};
}

function cpuLimits(host: HostConfigBody, machine: HostLimits, warnings: string[]): ContainerLimits {
  const nano = integerOf(host, 'NanoCpus');
  const period = integerOf(host, 'CpuPeriod');
  const quota = integerOf(host, 'CpuQuota');
  const shares = integerOf(host, 'CpuShares');
  if (nano > 0 && period > 0) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (nano > 0 && quota > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (nano < 0 || nano > machine.cpus * 1e9) {
    throw invalid(`range of CPUs is from 0.01 to ${machine.cpus}.00, as there are only ${machine.cpus} CPUs available`);
  }
  if (shares < 0) throw invalid(`Invalid CPU shares (${shares}): value must be a positive integer`);
  if (period !== 0 && (period < 1000 || period > 1_000_000)) {
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (quota > 0 && quota < 1000) throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  const cpusetCpus = checkedSet('cpus', textOf(host, 'CpusetCpus'), machine.cpus);
  const cpusetMems = checkedSet('mems', textOf(host, 'CpusetMems'), machine.memoryNodes);
  const rtPeriod = integerOf(host, 'CpuRealtimePeriod');
  const rtRuntime = integerOf(host, 'CpuRealtimeRuntime');
  if (rtPeriod !== 0 && rtRuntime > rtPeriod)
    throw invalid('cpu real-time runtime cannot be higher than cpu real-time period');
  const wanted: ContainerLimits = {
    ...(shares > 0 ? { cpuShares: shares } : {}),
    ...(nano > 0 ? { cpuPeriod: 100_000, cpuQuota: Math.floor(nano / 10_000) } : {}),
    ...(period > 0 ? { cpuPeriod: period } : {}),
    ...(quota !== 0 ? { cpuQuota: quota } : {}),
    ...(rtPeriod > 0 ? { cpuRealtimePeriod: rtPeriod } : {}),
    ...(rtRuntime > 0 ? { cpuRealtimeRuntime: rtRuntime } : {}),
  };
  const sets: ContainerLimits = { ...(cpusetCpus ? { cpusetCpus } : {}), ...(cpusetMems ? { cpusetMems } : {}) };
  if (!machine.cpu && Object.keys(wanted).length > 0)
    warnings.push(discarded('CPU limits or the cgroup is not mounted'));
  if (!machine.cpuset && Object.keys(sets).length > 0) warnings.push(discarded('cpuset or the cgroup is not mounted'));
  return { ...(machine.cpu ? wanted : {}), ...(machine.cpuset ? sets : {}) };
}

/** `0-3,5` of numbers below `count`. */
function checkedSet(what: 'cpus' | 'mems', text: string, count: number): string {
  if (text === '') return '';
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) throw invalid(`Invalid value ${text} for cpuset ${what}`);
  if (Math.max(...text.split(/[,-]/).map(Number)) < count) return text;
  const name = what === 'cpus' ? 'CPUs' : 'memory nodes';
  throw invalid(
    `Requested ${name} are not available - requested ${text}, available: 0${count > 1 ? `-${count - 1}` : ''}`,
  );
}

function pidsLimit(host: HostConfigBody, machine: HostLimits, warnings: string[]): ContainerLimits {
  const limit = integerOf(host, 'PidsLimit');
  if (limit <= 0) return {};
  if (machine.pids) return { pids: limit };
  warnings.push(
    'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
  );
  return {};
}

const RATES = {
  BlkioDeviceReadBps: 'readBps',
  BlkioDeviceWriteBps: 'writeBps',
  BlkioDeviceReadIOps: 'readIops',
  BlkioDeviceWriteIOps: 'writeIops',
} as const;

function blockLimits(host: HostConfigBody, machine: HostLimits, warnings: string[]): ContainerLimits {
  const weight = integerOf(host, 'BlkioWeight');
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw invalid('Range of blkio weight is from 10 to 1000');
  const weights = deviceRates(host, 'BlkioWeightDevice', 'Weight');
  for (const { rate } of weights) {
    if (rate !== 0 && (rate < 10 || rate > 1000)) throw invalid('Range of blkio weight is from 10 to 1000');
  }
  const rates: Record<string, readonly DeviceRate[]> = {};
  for (const [field, name] of Object.entries(RATES)) {
    const list = deviceRates(host, field, 'Rate');
    if (list.length > 0) rates[name] = list;
  }
  const keepsWeight = machine.blkioWeight;
  if (!keepsWeight && (weight !== 0 || weights.length > 0)) {
    warnings.push('Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.');
  }
  if (!machine.blkio && Object.keys(rates).length > 0) {
    warnings.push('Your kernel does not support Block I/O throttling. Limits discarded.');
  }
  return {
    ...(keepsWeight && weight > 0 ? { blkioWeight: weight } : {}),
    ...(keepsWeight && weights.length > 0 ? { blkioWeightDevice: weights } : {}),
    ...(machine.blkio ? rates : {}),
  };
}

function deviceRates(host: HostConfigBody, field: string, value: 'Rate' | 'Weight'): readonly DeviceRate[] {
  return listOf(host, field).map((entry) => {
    const fields = recordOf(entry);
    return { path: textOf(fields, 'Path'), rate: integerOf(fields, value) };
  });
}

function discarded(what: string): string {
  return `Your kernel does not support ${what}. Limitation discarded.`;
}

function invalid(message: string): BerthError {
  return new BerthError('invalid', message);
}
