import { closeSync, openSync, readdirSync, rmdirSync } from 'node:fs';
import { cgroupLayout, cgroupRoot } from '../linux/cgroup.ts';
import { flags, flock } from '../linux/libc.ts';

/** Below it lie the cgroups of all engines' containers and build steps. */
const parent = '/berth';

/**
 * Does something that makes cgroups, while no engine of this machine takes their empty parents away.
 * The lock is on a folder of the kernel's own, so that nothing is left behind by it.
 */
export async function makingCgroups<T>(action: () => Promise<T>): Promise<T> {
  const lock = openLock();
  try {
    if (lock !== undefined) flock(lock, flags.LOCK_SH);
    return await action();
  } finally {
    if (lock !== undefined) closeSync(lock);
  }
}

/** Removes the parent when it is empty, and nobody is about to make something in it. */
export function removeEmptyParents(): void {
  const lock = openLock();
  if (lock === undefined) return;
  try {
    flock(lock, flags.LOCK_EX | flags.LOCK_NB);
    for (const hierarchy of hierarchies()) removeWhenEmpty(`${hierarchy}${parent}`);
  } catch {
    // Somebody makes a container: it is not empty for long.
  } finally {
    closeSync(lock);
  }
}

function removeWhenEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Not there, or in use.
  }
}

function hierarchies(): readonly string[] {
  const layout = cgroupLayout();
  if (layout === 'none') return [];
  return layout === 'v2' ? [cgroupRoot] : readdirSync(cgroupRoot).map((name) => `${cgroupRoot}/${name}`);
}

/** The same folder for all engines, whatever each has mounted over the root of the hierarchies. */
function openLock(): number | undefined {
  const [first] = hierarchies().filter((folder) => !folder.endsWith('/unified'));
  try {
    return first === undefined ? undefined : openSync(first, 'r');
  } catch {
    return undefined;
  }
}
