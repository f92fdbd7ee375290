import { totalmem } from 'node:os';
import type { ContainerUsage } from '../../oci/index.ts';
import { readKernelFile } from '../cgroup/kernel-file.ts';
import { parseHostCpu, parseNetDev } from '../cgroup/parse.ts';
import { type CgroupView, cgroupView } from '../cgroup/view.ts';
import { cgroupRoot } from '../linux/cgroup.ts';
import { readConfig } from './bundle.ts';

/** The cgroup of the container in a bundle; undefined when the bundle is gone. */
export function cgroupOf(bundle: string): CgroupView | undefined {
  const path = readConfig(bundle)?.linux.cgroupsPath;
  return path === undefined ? undefined : cgroupView(cgroupRoot, path);
}

/** What a container uses. The counters of a network that is the host's are not its own, and left out. */
export function containerUsage(pid: number, bundle: string): ContainerUsage | undefined {
  const config = readConfig(bundle);
  if (!config) return undefined;
  const hasOwnNetwork = config.linux.namespaces.some(({ type }) => type === 'network');
  return {
    ...cgroupView(cgroupRoot, config.linux.cgroupsPath).usage(),
    interfaces: hasOwnNetwork ? parseNetDev(readKernelFile(`/proc/${pid}/net/dev`)) : {},
    host: { ...parseHostCpu(readKernelFile('/proc/stat')), memoryBytes: totalmem() },
  };
}
