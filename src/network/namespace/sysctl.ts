import { readFileSync, writeFileSync } from 'node:fs';

/** A kernel setting of the network namespace that the thread is in. @returns undefined when this kernel has none such */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(pathOf(name), 'latin1').trim();
  } catch {
    return undefined;
  }
}

/** @returns false when this kernel has no such setting (as without IPv6), or does not let it be changed */
export function writeSysctl(name: string, value: string): boolean {
  try {
    writeFileSync(pathOf(name), value);
    return true;
  } catch {
    return false;
  }
}

/** Parts are separated by slashes, because names of interfaces may hold dots. */
function pathOf(name: string): string {
  return `/proc/sys/net/${name}`;
}
