import { readFileSync } from 'node:fs';
import { availableParallelism, hostname, machine, release, totalmem } from 'node:os';
import { cgroupLayout } from '../linux/cgroup.ts';

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
