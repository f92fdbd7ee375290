import type {
  BuildCachePruned,
  ContainersPruned,
  DiskUsageBody,
  EventMessage,
  Filters,
  ImageDeleted,
  ImagesPruned,
  VolumeUsageBody,
} from '../../api/contract/index.ts';
import { isBerthError } from '../../errors/index.ts';
import type { ChainId, DiffId } from '../../oci/index.ts';
import type { ContainersApi } from '../api.ts';
import type { PublishEvent } from '../events/bus.ts';
import type { Clock, ImageStore, LayerGarbage } from '../ports.ts';
import { type Inventory, isActiveContainer, takeInventory } from './inventory.ts';
import { LayerSet } from './layers.ts';
import type { BuildCacheStore, DiskMeter } from './ports.ts';
import { type CachePruneQuery, planCachePrune, pruneCache } from './prune-cache.ts';
import { labelledFilter } from './prune-filter.ts';
import { total, type UsageType, usageReport } from './report.ts';

export type * from './ports.ts';
export type { CachePruneQuery } from './prune-cache.ts';
export { USAGE_TYPES, type UsageType } from './report.ts';

/** Who takes how much of the disk, and what gives it back. */
export interface UsageApi {
  /** @param options.verify also look for what is damaged or left over; that reads all content */
  diskUsage(options: { readonly types: ReadonlySet<UsageType>; readonly verify: boolean }): Promise<DiskUsageBody>;
  pruneImages(filters: Filters): Promise<ImagesPruned>;
  pruneContainers(filters: Filters): Promise<ContainersPruned>;
  pruneBuildCache(query: CachePruneQuery): Promise<BuildCachePruned>;
}

export interface UsageDependencies {
  readonly disk: DiskMeter;
  readonly buildCache: BuildCacheStore;
  readonly images: Pick<ImageStore, 'list'> & { prune(filters: Filters): Promise<readonly ImageDeleted[]> };
  readonly containers: Pick<ContainersApi, 'list' | 'remove'>;
  /** Volumes with their sizes. */
  readonly volumes?: () => Promise<readonly VolumeUsageBody[]>;
  readonly garbage: LayerGarbage & { leased(): readonly ChainId[] };
  readonly publish: PublishEvent;
  readonly clock: Clock;
}

export function createUsage(deps: UsageDependencies): UsageApi {
  const { disk, buildCache, garbage, images, containers, clock } = deps;
  const allContainers = () => containers.list({ all: true, size: false, filters: new Map() });
  const inventory = () => takeInventory({ disk, buildCache, images, garbage, containers: allContainers });
  const tell = (type: EventMessage['Type'], { SpaceReclaimed }: { readonly SpaceReclaimed: number }) =>
    deps.publish(type, 'prune', '', { reclaimed: String(SpaceReclaimed) });

  return {
    async diskUsage({ types, verify }) {
      const volumes = types.has('volume') ? ((await deps.volumes?.()) ?? []) : [];
      const report = usageReport(await inventory(), volumes, types);
      return verify ? { ...report, Problems: await disk.verify() } : report;
    },

    async pruneImages(filters) {
      const before = await inventory();
      const deleted = await images.prune(filters);
      const pruned = {
        ImagesDeleted: deleted.length === 0 ? null : deleted,
        SpaceReclaimed: await imageBytes(before, deleted, disk),
      };
      tell('image', pruned);
      return pruned;
    },

    async pruneContainers(filters) {
      const accepts = labelledFilter(filters, clock.now());
      const chosen = (await allContainers()).filter(
        (container) =>
          !isActiveContainer(container) &&
          accepts({ labels: container.Labels ?? {}, createdAt: container.Created * 1000 }),
      );
      const before = await disk.layers();
      const deleted: string[] = [];
      let bytes = 0;
      for (const { Id } of chosen) {
        const own = await disk.containerBytes(Id);
        if (!(await removed(containers, Id))) continue;
        deleted.push(Id);
        bytes += own;
      }
      const after = await disk.layers();
      const gone = new Set([...before.keys()].filter((chain) => !after.has(chain)));
      const pruned = {
        ContainersDeleted: deleted.length === 0 ? null : deleted,
        SpaceReclaimed: bytes + new LayerSet(before).freed(gone),
      };
      tell('container', pruned);
      return pruned;
    },

    async pruneBuildCache(query) {
      const now = await inventory();
      const pruned = await pruneCache(now, planCachePrune(now, query, clock.now()), { buildCache, garbage });
      tell('builder', pruned);
      return pruned;
    },
  };
}

/** What came back with the removed images: their configs, layers, and what was noted of those. */
async function imageBytes(before: Inventory, deleted: readonly ImageDeleted[], disk: DiskMeter): Promise<number> {
  const names = new Set(deleted.flatMap((item) => ('Deleted' in item ? [item.Deleted] : [])));
  const layers = [...before.layers.all].filter((chain) => names.has(chain));
  const configs = before.images.filter(({ image }) => names.has(image.id)).map(({ bytes }) => bytes);
  const notes = await disk.noteBytes();
  const lostNotes = names.size === 0 ? [] : [...before.notes].filter(([diffId]) => !notes.has(diffId as DiffId));
  return before.layers.freed(new Set(layers)) + total(configs) + total(lostNotes.map(([, bytes]) => bytes));
}

/** False when it was started, or removed by another, in the meantime. */
async function removed(containers: Pick<ContainersApi, 'remove'>, id: string): Promise<boolean> {
  try {
    await containers.remove(id, { force: false, volumes: false });
    return true;
  } catch (error) {
    if (isBerthError(error) && (error.kind === 'conflict' || error.kind === 'not-found')) return false;
    throw error;
  }
}
