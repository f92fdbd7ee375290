import { createUsage, type Engine, type UsageApi } from '../engine/index.ts';
import { openBuildCache } from './build-cache.ts';
import type { CacheShelves } from './build-ports/index.ts';
import { openDiskMeter } from './disk-meter.ts';
import type { Transfers } from './transfers.ts';
import { type StoredParts, verifyStorage } from './verify.ts';

export interface UsageOptions extends StoredParts {
  readonly engine: Engine;
  readonly caches: CacheShelves;
  readonly transfers: Transfers;
  readonly clock: { now(): number };
}

/** Tells who takes how much of a data folder, and prunes it. */
export function openUsage(options: UsageOptions): UsageApi {
  const { dataFolder, snapshots, images, records, garbage, engine, caches, transfers, clock } = options;
  return createUsage({
    disk: { ...openDiskMeter(dataFolder, snapshots), verify: () => verifyStorage(options) },
    buildCache: openBuildCache({ dataFolder, records, caches, meter: snapshots.meter, transfers }),
    images: { list: () => images.list(), prune: (filters) => engine.images.prune(filters) },
    containers: engine.containers,
    volumes: async () =>
      Promise.all(
        (await engine.volumes.usage()).map(async (volume) => {
          const Size = await snapshots.meter.folder(`${dataFolder}/volumes/${volume.Name}`);
          return { ...volume, UsageData: { Size, RefCount: volume.UsageData?.RefCount ?? 0 } };
        }),
      ),
    garbage,
    publish: engine.publish,
    clock,
  });
}
