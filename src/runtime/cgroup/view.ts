import { existsSync } from 'node:fs';
import type { ContainerUsage } from '../../oci/index.ts';
import { CgroupV1 } from './v1.ts';
import { CgroupV2 } from './v2.ts';

/** What cgroups tell of a container; its network is no matter of theirs. */
export type CgroupUsage = Omit<ContainerUsage, 'interfaces' | 'host'>;

/** One container's cgroup, whatever the version of its kernel's interface. */
export interface CgroupView {
  usage(): CgroupUsage;
  /** How many processes in it the kernel has killed for want of memory; 0 when that is not told. */
  oomKills(): number;
  liftPidsLimit(): void;
  /** Stops or continues every process in it. Resolves when they stand still, or go. */
  freeze(frozen: boolean): Promise<void>;
}

/**
 * @param root where the hierarchies are mounted: `/sys/fs/cgroup`
 * @param path of the cgroup in each of them: `/berth/ID`
 */
export function cgroupView(root: string, path: string): CgroupView {
  return existsSync(`${root}/cgroup.controllers`) ? new CgroupV2(`${root}${path}`) : new CgroupV1(root, path);
}
