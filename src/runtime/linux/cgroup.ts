import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  statfsSync,
  symlinkSync,
} from 'node:fs';
import { flags, mount } from './libc.ts';

/** Where the hierarchies are mounted. */
export const cgroupRoot = '/sys/fs/cgroup';
const CGROUP2_SUPER_MAGIC = 0x63677270;

/** `hybrid`: v1 controllers, and cgroup2 beside them in `unified`. */
export type CgroupLayout = 'v1' | 'v2' | 'hybrid' | 'none';

export function cgroupLayout(): CgroupLayout {
  if (!existsSync(cgroupRoot)) return 'none';
  if (statfsSync(cgroupRoot).type === CGROUP2_SUPER_MAGIC) return 'v2';
  if (!existsSync(`${cgroupRoot}/unified`))
    return existsSync(`${cgroupRoot}/memory`) || existsSync(`${cgroupRoot}/devices`) ? 'v1' : 'none';
  return 'hybrid';
}

/** The controllers that containers can be limited by, by their v1 names. */
export function cgroupControllers(): ReadonlySet<string> {
  if (cgroupLayout() !== 'v2') return new Set(existsSync(cgroupRoot) ? readdirSync(cgroupRoot) : []);
  const names = readFileSync(`${cgroupRoot}/cgroup.controllers`, 'utf8').trim().split(' ');
  return new Set(names.map((name) => (name === 'io' ? 'blkio' : name)));
}

/**
 * True where crun refuses to work ("cgroups in hybrid mode not supported"): a hybrid host whose cgroup2 tree holds
 * controllers of its own.
 */
export function needsV1View(): boolean {
  if (cgroupLayout() !== 'hybrid') return false;
  return readFileSync(`${cgroupRoot}/unified/cgroup.controllers`, 'utf8').trim() !== '';
}

/**
 * Covers /sys/fs/cgroup, in this process's mount namespace, with a view of the v1 controllers alone. Unmounting
 * `unified` would not do: crun then writes into the tmpfs below it, which the host sees.
 * @param scratch a folder on which the view is built before it is moved; it is made and removed
 */
export function coverWithV1View(scratch: string): void {
  mkdirSync(scratch, { recursive: true });
  mount('tmpfs', scratch, 'tmpfs', flags.MS_NOSUID | flags.MS_NODEV | flags.MS_NOEXEC, 'mode=755,size=64k');
  for (const name of readdirSync(cgroupRoot).filter((entry) => entry !== 'unified')) {
    const original = `${cgroupRoot}/${name}`;
    const view = `${scratch}/${name}`;
    const kind = lstatSync(original);
    // Combined controllers have their single names as links (`cpu` -> `cpu,cpuacct`).
    if (kind.isSymbolicLink()) symlinkSync(readlinkSync(original), view);
    else if (kind.isDirectory()) {
      mkdirSync(view);
      mount(original, view, null, flags.MS_BIND | flags.MS_REC, null);
    }
  }
  mount(scratch, cgroupRoot, null, flags.MS_MOVE, null);
  rmdirSync(scratch);
}

/** Removes a container's empty cgroup (`/berth/ID`) from every hierarchy. One that still has processes stays. */
export function removeCgroup(path: string): void {
  const hierarchies =
    cgroupLayout() === 'v2' ? [cgroupRoot] : readdirSync(cgroupRoot).map((name) => `${cgroupRoot}/${name}`);
  for (const hierarchy of hierarchies) removeTree(`${hierarchy}${path}`);
}

/** Kernel files in a cgroup cannot be deleted, and need not be: only directories are removed, the deepest first. */
function removeTree(directory: string): void {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(`${directory}/${entry.name}`);
    }
    rmdirSync(directory);
  } catch {
    // Not there, or busy: the next recovery tries again.
  }
}
