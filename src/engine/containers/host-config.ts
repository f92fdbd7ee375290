import type { ContainerCreateBody, HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';

/** Fields that the engine reads, or that mean nothing to it. */
const HONOURED = new Set(
  'Binds NetworkMode AutoRemove Privileged ReadonlyRootfs Init CapAdd CapDrop Tmpfs RestartPolicy LogConfig Runtime ShmSize Mounts VolumesFrom VolumeDriver PortBindings PublishAllPorts Dns DnsOptions DnsSearch ExtraHosts Links ContainerIDFile ConsoleSize'.split(
    ' ',
  ),
);

/** The docker flag that sets a field, for those that are not there yet. */
const FLAGS: Readonly<Record<string, string>> = {
  BlkioDeviceReadBps: '--device-read-bps',
  BlkioDeviceReadIOps: '--device-read-iops',
  BlkioDeviceWriteBps: '--device-write-bps',
  BlkioDeviceWriteIOps: '--device-write-iops',
  BlkioWeight: '--blkio-weight',
  BlkioWeightDevice: '--blkio-weight-device',
  Annotations: '--annotation',
  CgroupParent: '--cgroup-parent',
  CgroupnsMode: '--cgroupns',
  CpuPeriod: '--cpu-period',
  CpuQuota: '--cpu-quota',
  CpuRealtimePeriod: '--cpu-rt-period',
  CpuRealtimeRuntime: '--cpu-rt-runtime',
  CpuShares: '--cpu-shares',
  CpusetCpus: '--cpuset-cpus',
  CpusetMems: '--cpuset-mems',
  DeviceCgroupRules: '--device-cgroup-rule',
  DeviceRequests: '--gpus',
  Devices: '--device',
  GroupAdd: '--group-add',
  IpcMode: '--ipc',
  Isolation: '--isolation',
  KernelMemory: '--kernel-memory',
  MaskedPaths: '--security-opt systempaths=unconfined',
  Memory: '--memory',
  MemoryReservation: '--memory-reservation',
  MemorySwap: '--memory-swap',
  MemorySwappiness: '--memory-swappiness',
  NanoCpus: '--cpus',
  OomKillDisable: '--oom-kill-disable',
  OomScoreAdj: '--oom-score-adj',
  PidMode: '--pid',
  PidsLimit: '--pids-limit',
  ReadonlyPaths: '--security-opt systempaths=unconfined',
  SecurityOpt: '--security-opt',
  StorageOpt: '--storage-opt',
  Sysctls: '--sysctl',
  UTSMode: '--uts',
  Ulimits: '--ulimit',
  UsernsMode: '--userns',
};

/** Values besides the empty ones that ask for nothing. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  MemorySwappiness: [-1],
  PidsLimit: [-1],
  IpcMode: ['private'],
  Isolation: ['default'],
};
/** An empty list takes something away here. */
const EMPTY_MATTERS = new Set(['MaskedPaths', 'ReadonlyPaths']);

/**
 * Refuses what a request asks for and this engine does not do yet. Nothing is ever ignored. Pure.
 * @throws BerthError `unsupported` that names the docker flag, or `invalid`
 */
export function checkSupported(body: ContainerCreateBody, runtimes: readonly string[]): void {
  const host = body.HostConfig ?? {};
  for (const [field, value] of Object.entries(host)) {
    if (!HONOURED.has(field) && !asksForNothing(field, value)) throw notYet(FLAGS[field] ?? field);
  }
  checkPolicies(host);
  checkBody(body);
  if (host.Runtime && !runtimes.includes(host.Runtime)) {
    throw new BerthError('invalid', `unknown or invalid runtime name: ${host.Runtime}`, {
      hint: `this engine has ${runtimes.join(', ')}`,
    });
  }
  if ((host.ShmSize ?? 0) < 0) throw new BerthError('invalid', 'SHM size can not be less than 0');
}

function checkPolicies({ RestartPolicy, LogConfig }: HostConfigBody): void {
  if (RestartPolicy && !['', 'no'].includes(RestartPolicy.Name)) throw notYet('--restart');
  if (LogConfig && !['', 'json-file'].includes(LogConfig.Type)) throw notYet('--log-driver');
  if (Object.keys(LogConfig?.Config ?? {}).length > 0) throw notYet('--log-opt');
}

/** Health checks are outside of `HostConfig`. */
function checkBody(body: ContainerCreateBody): void {
  if (!isEmpty(body.Healthcheck) && body.Healthcheck?.Test?.[0] !== 'NONE') throw notYet('--health-cmd');
}

function asksForNothing(field: string, value: unknown): boolean {
  if (EMPTY_MATTERS.has(field)) return value === null || value === undefined;
  return isEmpty(value) || (NEUTRAL[field]?.includes(value) ?? false);
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function notYet(what: string): BerthError {
  return new BerthError('unsupported', `${what} is not there yet in this version of Berth`);
}
