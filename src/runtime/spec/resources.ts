import type { ContainerLimits, DeviceRate } from '../../oci/index.ts';
import type { OciResources, OciThrottle, OciWeight } from './oci-config.ts';

/** Finds the number of a block device. */
export type DeviceNumberOf = (path: string) => { readonly major: number; readonly minor: number };

/**
 * Limits in the words of the OCI runtime specification. They are those of cgroup v1; a runtime translates them on v2.
 * Pure.
 * @see runtime-spec config-linux.md, "Control groups"
 */
export function ociResources(limits: ContainerLimits, numberOf: DeviceNumberOf): Omit<OciResources, 'devices'> {
  const memory = defined({
    limit: limits.memoryBytes,
    reservation: limits.memoryReservationBytes,
    swap: limits.memorySwapBytes,
    swappiness: limits.memorySwappiness,
    disableOOMKiller: limits.oomKillDisable,
  });
  const cpu = defined({
    shares: limits.cpuShares,
    quota: limits.cpuQuota,
    period: limits.cpuPeriod,
    realtimeRuntime: limits.cpuRealtimeRuntime,
    realtimePeriod: limits.cpuRealtimePeriod,
    cpus: limits.cpusetCpus,
    mems: limits.cpusetMems,
  });
  const blockIO = defined({
    weight: limits.blkioWeight,
    weightDevice: limits.blkioWeightDevice?.map(({ path, rate }): OciWeight => ({ ...numberOf(path), weight: rate })),
    throttleReadBpsDevice: throttles(limits.readBps, numberOf),
    throttleWriteBpsDevice: throttles(limits.writeBps, numberOf),
    throttleReadIOPSDevice: throttles(limits.readIops, numberOf),
    throttleWriteIOPSDevice: throttles(limits.writeIops, numberOf),
  });
  return {
    ...(memory ? { memory } : {}),
    ...(cpu ? { cpu } : {}),
    ...(blockIO ? { blockIO } : {}),
    ...(limits.pids === undefined ? {} : { pids: { limit: limits.pids } }),
  };
}

function throttles(rates: readonly DeviceRate[] | undefined, numberOf: DeviceNumberOf): OciThrottle[] | undefined {
  return rates?.map(({ path, rate }) => ({ ...numberOf(path), rate }));
}

/** Without what is not there; undefined when nothing is left. */
function defined<T extends object>(fields: T): T | undefined {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? (Object.fromEntries(entries) as T) : undefined;
}
