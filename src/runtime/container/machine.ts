import { readdirSync, readFileSync, statSync } from 'node:fs';
import { cgroupLayout } from '../linux/cgroup.ts';
import { capabilitiesOfMask } from '../spec/capabilities.ts';
import type { MachineFacts } from '../spec/config.ts';
import type { OciDevice } from '../spec/oci-config.ts';

/** What containers on this machine, started by this process, can have. Devices are read when they are asked for. */
export function machineFacts(): MachineFacts {
  const status = readFileSync('/proc/self/status', 'latin1');
  return {
    architecture: process.arch,
    cgroups: cgroupLayout() === 'v2' ? 'v2' : 'v1',
    capabilities: capabilitiesOfMask(/^CapPrm:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'),
    oomScoreAdj: Number(readFileSync('/proc/self/oom_score_adj', 'latin1')),
    get devices() {
      return hostDevices('/dev');
    },
  };
}

function hostDevices(folder: string): readonly OciDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): readonly OciDevice[] => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return hostDevices(path);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    const { rdev, mode, uid, gid } = statSync(path);
    return [
      { path, type: entry.isBlockDevice() ? 'b' : 'c', ...deviceNumbers(rdev), fileMode: mode & 0o777, uid, gid },
    ];
  });
}

/** @see makedev(3), the 64-bit encoding of glibc */
function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const device = BigInt(rdev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
