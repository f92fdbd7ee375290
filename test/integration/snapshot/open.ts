import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { flags, umount } from '../../../src/runtime/linux/libc.ts';
import { type LayerStore, type LayerStoreOptions, openLayerStore } from '../../../src/runtime/snapshot/index.ts';

export interface TemporaryStore {
  readonly store: LayerStore;
  readonly folder: string;
  /** The store as an engine started after a crash opens it. */
  reopen(): Promise<LayerStore>;
  /** Fails when a mount is left; removes everything. */
  close(): Promise<void>;
}

export async function openTemporaryStore(
  prefix = '/tmp/berth-layers-',
  options: Pick<LayerStoreOptions, 'driver' | 'form'> = {},
): Promise<TemporaryStore> {
  const folder = mkdtempSync(prefix);
  const open = () =>
    openLayerStore({ ...options, dataFolder: folder, clock: () => Date.parse('2026-01-01T00:00:00Z') });
  const store = await open();
  return {
    store,
    folder,
    reopen: open,
    close: async () => {
      const all = mounts(folder);
      for (const target of all) umount(target, flags.MNT_DETACH);
      rmSync(folder, { recursive: true, force: true });
      // Images of committed layers stay mounted as long as the layers are there.
      const left = all.filter((target) => !target.startsWith(`${folder}/layers/`));
      if (left.length > 0) throw new Error(`mounts are left: ${left.join(', ')}`);
    },
  };
}

export function mounts(folder: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '').filter((target) => target.startsWith(folder));
}
