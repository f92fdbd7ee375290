import type { ContainerCreateBody, HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { listOf, recordOf, textOf } from './fields.ts';

/** Fields that the engine reads, or that mean nothing to it. */
const HONOURED = new Set(
  'Binds NetworkMode AutoRemove Privileged ReadonlyRootfs Init CapAdd CapDrop Tmpfs RestartPolicy LogConfig Runtime ShmSize Mounts VolumesFrom VolumeDriver PortBindings PublishAllPorts Dns DnsOptions DnsSearch ExtraHosts Links ContainerIDFile ConsoleSize BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps BlkioDeviceWriteIOps BlkioWeight BlkioWeightDevice CgroupParent CgroupnsMode CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpuShares CpusetCpus CpusetMems DeviceCgroupRules Devices GroupAdd IpcMode KernelMemory MaskedPaths Memory MemoryReservation MemorySwap MemorySwappiness NanoCpus OomKillDisable OomScoreAdj PidMode PidsLimit ReadonlyPaths SecurityOpt Sysctls UTSMode Ulimits UsernsMode'.split(
    ' ',
  ),
);

/** The docker flag that sets a field, for those that are not there yet. */
const FLAGS: Readonly<Record<string, string>> = {
  Annotations: '--annotation',
  Isolation: '--isolation',
  StorageOpt: '--storage-opt',
};

/** Values besides the empty ones that ask for nothing. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  Isolation: ['default'],
};

/**
 * Refuses what a request asks for and this engine does not do yet. Nothing is ever ignored. Pure.
 * @throws BerthError `unsupported` that names the docker flag, or `invalid`
 */
export function checkSupported(body: ContainerCreateBody, runtimes: readonly string[]): void {
  const host = body.HostConfig ?? {};
  refuseDeviceRequests(host);
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

/** GPUs come through a hook of their maker's, which no runtime here has. */
function refuseDeviceRequests(host: HostConfigBody): void {
  const [first] = listOf(host, 'DeviceRequests');
  if (first === undefined) return;
  const request = recordOf(first);
  const capabilities = listOf(request, 'Capabilities').map((all) => `[${Array.isArray(all) ? all.join(' ') : ''}]`);
  throw new BerthError(
    'unsupported',
    `could not select device driver "${textOf(request, 'Driver')}" with capabilities: [${capabilities.join(' ')}]`,
    { hint: 'give the nodes of the device to the container, as --device /dev/dri' },
  );
}

/** @throws BerthError `unsupported` */
export function checkPolicies({ RestartPolicy, LogConfig }: HostConfigBody): void {
  if (RestartPolicy && !['', 'no'].includes(RestartPolicy.Name)) throw notYet('--restart');
  if (LogConfig && !['', 'json-file'].includes(LogConfig.Type)) throw notYet('--log-driver');
  if (Object.keys(LogConfig?.Config ?? {}).length > 0) throw notYet('--log-opt');
}

/** Health checks are outside of `HostConfig`. */
function checkBody(body: ContainerCreateBody): void {
  if (!isEmpty(body.Healthcheck) && body.Healthcheck?.Test?.[0] !== 'NONE') throw notYet('--health-cmd');
}

function asksForNothing(field: string, value: unknown): boolean {
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
