import { renameSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { openStepRecords } from '../cache/index.ts';
import type { BuildCacheStore, CacheItem } from '../engine/index.ts';
import type { LayerStore } from '../runtime/index.ts';
import type { CacheShelves } from './build-ports/index.ts';
import { filesIn } from './disk-meter.ts';
import type { Transfers } from './transfers.ts';

export interface BuildCacheOptions {
  readonly dataFolder: string;
  readonly records: ReturnType<typeof openStepRecords>;
  readonly caches: CacheShelves;
  readonly meter: LayerStore['meter'];
  readonly transfers: Transfers;
}

/** What is kept because it may be of use again, though nothing needs it. */
export function openBuildCache({ dataFolder, records, caches, meter, transfers }: BuildCacheOptions): BuildCacheStore {
  const sum = async (paths: readonly string[]) => {
    const sizes = await Promise.all(paths.map((path) => meter.folder(path)));
    return sizes.reduce((total, bytes) => total + bytes, 0);
  };
  const transferFiles = async () =>
    (
      await Promise.all(
        ['downloads', 'uploads/sessions', 'uploads/layers'].map((name) => filesIn(`${dataFolder}/${name}`)),
      )
    ).flat();

  /** Items that are files of a few folders. */
  const notes: Readonly<
    Record<string, { description: string; files(): Promise<readonly string[]>; inUse(): boolean }>
  > = {
    'context-digests': {
      description: 'digests of files in build contexts',
      files: () => filesIn(`${dataFolder}/cache/stat`),
      inUse: () => false,
    },
    transfers: {
      description: 'pulls and pushes that were cut off, to be taken up again',
      files: transferFiles,
      inUse: () => transfers.active,
    },
  };

  const note = async (id: string): Promise<CacheItem | undefined> => {
    const { description, files, inUse } = notes[id]!;
    const paths = await files();
    const times = (await Promise.all(paths.map((path) => stat(path).catch(() => undefined)))).flatMap(
      (stats) => stats?.mtimeMs ?? [],
    );
    if (times.length === 0) return undefined;
    const [createdAt, lastUsedAt] = [Math.min(...times), Math.max(...times)];
    return { id, kind: 'note', description, inUse: inUse(), bytes: await sum(paths), createdAt, lastUsedAt };
  };

  const runningSteps = async (): Promise<CacheItem | undefined> => {
    const roots = (await filesIn(`${dataFolder}/roots`)).filter((path) => path.includes('/roots/build-'));
    const paths = [...roots, ...(await filesIn(`${dataFolder}/tmp`))];
    if (paths.length === 0) return undefined;
    const now = Date.now();
    const bytes = await sum(paths);
    return {
      id: 'running',
      kind: 'step',
      description: 'work under way',
      inUse: true,
      bytes,
      createdAt: now,
      lastUsedAt: now,
    };
  };

  return {
    records: async () =>
      (await records.usage()).map(({ record, lastUsedAt, bytes }) => ({
        key: record.key.digest,
        chain: record.layer.chainId,
        description: record.slot,
        createdAt: record.createdAt,
        lastUsedAt,
        bytes,
      })),

    items: async () => {
      const mounts = (await caches.list()).map(
        async ({ name, folder, id, inUse, createdAt, lastUsedAt }): Promise<CacheItem> => ({
          id: name.slice(0, 25),
          kind: 'mount',
          description: `cache mount ${id}`,
          inUse,
          bytes: await meter.folder(folder),
          createdAt,
          lastUsedAt,
        }),
      );
      const rest = await Promise.all([...Object.keys(notes).map(note), runningSteps()]);
      return [...(await Promise.all(mounts)), ...rest.filter((item) => item !== undefined)];
    },

    removeRecords: (keys) => records.removeAll(keys),

    removeItem: async (id) => {
      const group = Object.hasOwn(notes, id) ? notes[id] : undefined;
      if (group === undefined) {
        const shelf = (await caches.list()).find(({ name }) => name.startsWith(id));
        if (shelf === undefined) return undefined;
        const bytes = await meter.folder(shelf.folder);
        return (await caches.remove(shelf.name)) ? bytes : undefined;
      }
      const paths = await group.files();
      const bytes = await sum(paths);
      if (group.inUse()) return undefined;
      // Out of the way in one go: a pull that begins now finds nothing instead of what is being deleted.
      const aside = paths.map((path, index) => {
        const place = `${dataFolder}/tmp/pruned-${id}-${index}`;
        renameSync(path, place);
        return place;
      });
      for (const place of aside) await rm(place, { recursive: true, force: true });
      return bytes;
    },
  };
}
