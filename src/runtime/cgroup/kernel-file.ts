import { readFileSync } from 'node:fs';

/** The text of a kernel file; empty where the kernel, or this cgroup, does not have it. */
export function readKernelFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
