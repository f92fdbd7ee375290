import { statfsSync } from 'node:fs';

/** Bytes that unpacking a layer leaves free on the disk; on a small one, a twentieth of it. */
const DISK_RESERVE = 64 << 20;

/** Whole bytes that may still be written to the disk of a folder; 0 when it counts as full. */
export function freeBytes(folder: string): number {
  const { bavail, blocks, bsize } = statfsSync(folder);
  return Math.max(0, bavail * bsize - Math.min(DISK_RESERVE, Math.ceil((blocks * bsize) / 20)));
}
