import type {
  BuildCacheBody,
  DiskUsageBody,
  ImageSummary,
  UsageTotal,
  VolumeUsageBody,
} from '../../api/contract/index.ts';
import { type ChainId, hexOf } from '../../oci/index.ts';
import { formatRfc3339Nano } from '../../units/index.ts';
import { createdMs } from '../images/filters.ts';
import { shown } from '../images/names.ts';
import { type Inventory, imageTops, topsOf } from './inventory.ts';
import { without } from './layers.ts';
import type { CacheItem } from './ports.ts';

/** The parts of a report, as the `type` parameter of the API names them. */
export const USAGE_TYPES = ['container', 'image', 'volume', 'build-cache'] as const;
export type UsageType = (typeof USAGE_TYPES)[number];

/**
 * Who takes how much of the disk. Each byte counts once: a layer belongs to the images that have it, else to the
 * containers, else to the build cache. `Reclaimable` is what a prune of that kind alone gives back, so a layer that both an
 * unused image and the build cache have is in neither's: it takes both prunes. Pure.
 */
export function usageReport(
  inventory: Inventory,
  volumes: readonly VolumeUsageBody[],
  types: ReadonlySet<UsageType>,
): DiskUsageBody {
  const images = imagesPart(inventory);
  return {
    LayersSize: types.has('image') ? images.ImageUsage.TotalSize : 0,
    ...(types.has('image') ? images : {}),
    ...(types.has('container') ? containersPart(inventory) : {}),
    ...(types.has('volume') ? volumesPart(volumes) : {}),
    ...(types.has('build-cache') ? buildCachePart(inventory) : {}),
  };
}

function imagesPart({ layers, images, notes, containers, records, busy }: Inventory) {
  const used = images.filter((entry) => entry.containers > 0);
  const unused = images.filter((entry) => entry.containers === 0);
  const needed = layers.below([...imageTops(used), ...topsOf(containers), ...topsOf(records), ...busy]);
  const going = without(layers.below(imageTops(unused)), needed);
  const keptNotes = new Set<string>(used.flatMap(({ image }) => image.config.rootfs.diff_ids));
  const goingNotes = unused.length === 0 ? [] : [...notes].filter(([diffId]) => !keptNotes.has(diffId));
  const holders = new Map<ChainId, number>();
  for (const { chains } of images) for (const chain of chains) holders.set(chain, (holders.get(chain) ?? 0) + 1);
  const own = total(images.map(({ bytes }) => bytes));
  return {
    ImageUsage: {
      TotalCount: images.length,
      ActiveCount: used.length,
      TotalSize: layers.bytes(layers.below(imageTops(images))) + own + total(notes.values()),
      Reclaimable:
        layers.freed(going) + total(unused.map(({ bytes }) => bytes)) + total(goingNotes.map(([, bytes]) => bytes)),
    } satisfies UsageTotal,
    Images: images.map(({ image, chains, bytes, containers: count }): ImageSummary => {
      const shared = chains.filter((chain) => (holders.get(chain) ?? 0) > 1);
      return {
        Id: image.id,
        ParentId: '',
        RepoTags: image.names.map(shown),
        RepoDigests: image.repoDigests.map(shown),
        Created: Math.floor(createdMs(image) / 1000),
        Size: layers.bytes(chains) + bytes,
        SharedSize: layers.bytes(shared),
        Labels: image.config.config?.Labels ?? null,
        Containers: count,
      };
    }),
  };
}

function containersPart({ layers, images, containers, records, busy }: Inventory) {
  const stopped = containers.filter(({ isActive }) => !isActive);
  const active = containers.filter(({ isActive }) => isActive);
  const needed = layers.below([...imageTops(images), ...topsOf(active), ...topsOf(records), ...busy]);
  const orphaned = without(layers.below(topsOf(containers)), layers.below(imageTops(images)));
  return {
    ContainerUsage: {
      TotalCount: containers.length,
      ActiveCount: active.length,
      TotalSize: layers.freed(orphaned) + total(containers.map(({ bytes }) => bytes)),
      Reclaimable:
        layers.freed(without(layers.below(topsOf(stopped)), needed)) + total(stopped.map(({ bytes }) => bytes)),
    } satisfies UsageTotal,
    Containers: containers.map(({ summary, chain, bytes }) => ({
      ...summary,
      SizeRw: bytes,
      SizeRootFs: bytes + (chain === null ? 0 : layers.bytes(layers.below([chain]))),
    })),
  };
}

function volumesPart(volumes: readonly VolumeUsageBody[]) {
  const sizeOf = ({ UsageData }: VolumeUsageBody) => Math.max(0, UsageData?.Size ?? 0);
  const unused = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) === 0);
  return {
    VolumeUsage: {
      TotalCount: volumes.length,
      ActiveCount: volumes.length - unused.length,
      TotalSize: total(volumes.map(sizeOf)),
      Reclaimable: total(unused.map(sizeOf)),
    } satisfies UsageTotal,
    Volumes: volumes,
  };
}

function buildCachePart(inventory: Inventory) {
  const BuildCache = buildCacheItems(inventory);
  const own = BuildCache.filter(({ Shared }) => !Shared);
  const sizes = (items: readonly BuildCacheBody[]) => total(items.map(({ Size }) => Size));
  return {
    BuildCacheUsage: {
      TotalCount: BuildCache.length,
      ActiveCount: BuildCache.filter(({ InUse }) => InUse).length,
      TotalSize: sizes(own),
      Reclaimable: sizes(own.filter(({ InUse }) => !InUse)),
    } satisfies UsageTotal,
    BuildCache,
  };
}

/** One item a layer, one for the records, and what else there is. Linked copies of a layer that counts already are small. */
export function buildCacheItems({
  layers,
  images,
  containers,
  records,
  items,
  busy,
}: Inventory): readonly BuildCacheBody[] {
  const elsewhere = layers.below([...imageTops(images), ...topsOf(containers)]);
  const inUse = layers.below(busy);
  const cached = layers.below(topsOf(records));
  const count = layers.counter();
  for (const chain of elsewhere) count(chain);
  const newest = new Map<ChainId, (typeof records)[number]>();
  for (const record of records) {
    if ((newest.get(record.chain)?.lastUsedAt ?? -1) < record.lastUsedAt) newest.set(record.chain, record);
  }
  // What is busy without a record is somebody's work in progress: it is nobody's yet, and cannot be pruned.
  const chains = [...cached, ...without(without(layers.all, cached), elsewhere)];
  const layerItems = chains.map((chain): BuildCacheBody => {
    const { createdAt, bytes } = layers.get(chain)!;
    const record = newest.get(chain);
    const Shared = elsewhere.has(chain);
    return {
      ID: hexOf(chain).slice(0, 25),
      Type: 'regular',
      Description: record?.description ?? 'layer below others',
      InUse: inUse.has(chain) || !cached.has(chain),
      Shared,
      Size: Shared ? bytes : count(chain),
      CreatedAt: record?.createdAt ?? createdAt,
      LastUsedAt: record === undefined ? null : formatRfc3339Nano(record.lastUsedAt),
      UsageCount: 1,
    };
  });
  const recordItem: CacheItem[] =
    records.length === 0
      ? []
      : [
          {
            id: 'records',
            kind: 'note',
            description: 'records of build steps',
            inUse: false,
            bytes: total(records.map(({ bytes }) => bytes)),
            createdAt: Math.min(...records.map(({ createdAt }) => Date.parse(createdAt) || 0)),
            lastUsedAt: Math.max(...records.map(({ lastUsedAt }) => lastUsedAt)),
          },
        ];
  return [...layerItems, ...[...recordItem, ...items].map(itemBody)];
}

function itemBody({ id, kind, description, inUse, bytes, createdAt, lastUsedAt }: CacheItem): BuildCacheBody {
  return {
    ID: id,
    Type: kind === 'mount' ? 'exec.cachemount' : 'internal',
    Description: description,
    InUse: inUse,
    Shared: false,
    Size: bytes,
    CreatedAt: formatRfc3339Nano(createdAt),
    LastUsedAt: formatRfc3339Nano(lastUsedAt),
    UsageCount: 1,
  };
}

export function total(numbers: Iterable<number>): number {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
