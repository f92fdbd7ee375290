import { readdirSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { BerthError } from '../../errors/index.ts';
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
    kernel: release(),
    devicesAt: devicesBelow,
    get devices() {
      return hostDevices('/dev');
    },
  };
}

/** One device, or all below a folder. Links are followed, as for `/dev/disk/by-id`. */
function devicesBelow(path: string): readonly OciDevice[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return hostDevices(path);
  if (stats?.isCharacterDevice() || stats?.isBlockDevice()) return [deviceAt(path)];
  const why = stats ? 'not a device node' : 'no such file or directory';
  throw new BerthError(
    'invalid',
    `error gathering device information while adding custom device ${JSON.stringify(path)}: ${why}`,
  );
}

function hostDevices(folder: string): readonly OciDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): readonly OciDevice[] => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return hostDevices(path);
    return entry.isCharacterDevice() || entry.isBlockDevice() ? [deviceAt(path)] : [];
  });
}

function deviceAt(path: string): OciDevice {
  const stats = statSync(path);
  const { rdev, mode, uid, gid } = stats;
  return { path, type: stats.isBlockDevice() ? 'b' : 'c', ...deviceNumbers(rdev), fileMode: mode & 0o777, uid, gid };
}

/** @see makedev(3), the 64-bit encoding of glibc */
function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const device = BigInt(rdev);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
