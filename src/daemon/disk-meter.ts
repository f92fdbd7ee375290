import { lstat, readdir } from 'node:fs/promises';
import type { DiskMeter } from '../engine/index.ts';
import { type DiffId, hexOf, isDigest } from '../oci/index.ts';
import type { LayerStore } from '../runtime/index.ts';

/** Measures the parts of a data folder. @see ARCHITECTURE.md, "Storage" */
export function openDiskMeter(dataFolder: string, snapshots: LayerStore): Omit<DiskMeter, 'verify'> {
  const { meter } = snapshots;
  return {
    layers: () => meter.layers(),
    roots: () => snapshots.parents(),
    imageBytes: (id) => meter.folder(`${dataFolder}/content/blobs/sha256/${hexOf(id)}`),
    containerBytes: async (id) => {
      const parts = await Promise.all(
        ['roots', 'containers'].map((name) => meter.folder(`${dataFolder}/${name}/${id}`)),
      );
      return parts.reduce((sum, bytes) => sum + bytes, 0);
    },
    noteBytes: async () => {
      const notes = new Map<DiffId, number>();
      for (const path of await filesIn(`${dataFolder}/cache/layer-blobs`)) {
        const diffId = `sha256:${path.slice(path.lastIndexOf('/') + 1).replace(/\.json$/, '')}`;
        const stats = await lstat(path).catch(() => undefined);
        if (stats && isDigest(diffId)) notes.set(diffId as DiffId, stats.blocks * 512);
      }
      return notes;
    },
  };
}

/** Paths of what lies in a folder; none when it is not there. */
export async function filesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => `${folder}/${name}`);
}
