import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, hostname, machine, release, totalmem } from 'node:os';
import type { HostLimits } from '../../oci/index.ts';
import { cgroupControllers, cgroupLayout } from '../linux/cgroup.ts';

/** What `info` says about the machine. */
export interface HostFacts {
  readonly hostname: string;
  readonly kernel: string;
  /** As `uname -m`: `x86_64`. */
  readonly machine: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly operatingSystem: string;
  readonly osVersion: string;
  readonly cgroupVersion: '1' | '2';
  readonly warnings: readonly string[];
}

export function hostFacts(): HostFacts {
  const os = osRelease();
  const cgroups = cgroupLayout();
  return {
    hostname: hostname(),
    kernel: release(),
    machine: machine(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    operatingSystem: os.get('PRETTY_NAME') ?? 'Linux',
    osVersion: os.get('VERSION_ID') ?? '',
    cgroupVersion: cgroups === 'v2' ? '2' : '1',
    warnings: cgroups === 'none' ? ['WARNING: no cgroups are mounted'] : [],
  };
}

/** Which limits of containers the kernel can keep. */
export function hostLimits(): HostLimits {
  const isV2 = cgroupLayout() === 'v2';
  const has = cgroupControllers();
  const v1File = (path: string) => existsSync(`/sys/fs/cgroup/${path}`);
  return {
    version: isV2 ? '2' : '1',
    cpus: cpus().length,
    memoryNodes: memoryNodes(),
    memory: has.has('memory'),
    swap: has.has('memory') && (isV2 || v1File('memory/memory.memsw.limit_in_bytes')),
    cpu: has.has('cpu') && (isV2 || v1File('cpu/cpu.cfs_quota_us')),
    cpuset: has.has('cpuset'),
    pids: has.has('pids'),
    blkio: has.has('blkio') && (isV2 || v1File('blkio/blkio.throttle.read_bps_device')),
    blkioWeight: has.has('blkio') && (isV2 || v1File('blkio/blkio.weight') || v1File('blkio/blkio.bfq.weight')),
  };
}

function memoryNodes(): number {
  const folder = '/sys/devices/system/node';
  const nodes = existsSync(folder) ? readdirSync(folder).filter((name) => /^node\d+$/.test(name)) : [];
  return Math.max(1, nodes.length);
}

function osRelease(): ReadonlyMap<string, string> {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
    return new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf('=')),
        line.slice(line.indexOf('=') + 1).replace(/^"(.*)"$/, '$1'),
      ]),
    );
  } catch {
    return new Map();
  }
}
