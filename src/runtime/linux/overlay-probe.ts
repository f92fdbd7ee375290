import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { flags, umount } from './libc.ts';
import { mountOverlay } from './overlay.ts';

/** Mounts a small overlay in a folder: some file systems cannot hold its upper. @throws what the attempt throws */
export function probeOverlay(folder: string): void {
  const scratch = mkdtempSync(`${folder}/berth-probe-`);
  try {
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(`${scratch}/${name}`);
    const writable = { upper: 'upper', work: 'work' };
    mountOverlay({ folder: scratch, lowers: ['lower'], writable, target: 'merged' });
    umount(`${scratch}/merged`, flags.MNT_DETACH);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
