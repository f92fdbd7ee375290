import type { ContainerSummary } from '../../api/contract/index.ts';
import { type ChainId, chainIds } from '../../oci/index.ts';
import type { ImageStore, StoredImage } from '../ports.ts';
import { LayerSet } from './layers.ts';
import type { BuildCacheStore, CacheItem, CacheRecord, DiskMeter } from './ports.ts';

/** What is asked for an inventory. */
export interface InventorySources {
  readonly disk: DiskMeter;
  readonly buildCache: BuildCacheStore;
  readonly images: Pick<ImageStore, 'list'>;
  readonly garbage: { leased(): readonly ChainId[] };
  readonly containers: () => Promise<readonly ContainerSummary[]>;
}

/** Everything that takes room, and who needs which layers. */
export interface Inventory {
  readonly layers: LayerSet;
  readonly images: readonly ImageEntry[];
  /** Bytes of notes of layers, by diff id. */
  readonly notes: ReadonlyMap<string, number>;
  readonly containers: readonly ContainerEntry[];
  readonly records: readonly CacheRecord[];
  readonly items: readonly CacheItem[];
  /** Tops of what running work has under way: builds, pulls, pushes. */
  readonly busy: readonly ChainId[];
}

export interface ImageEntry {
  readonly image: StoredImage;
  /** Lowest first; also those that are missing. */
  readonly chains: readonly ChainId[];
  readonly bytes: number;
  readonly containers: number;
}

export interface ContainerEntry {
  readonly summary: ContainerSummary;
  readonly chain: ChainId | null;
  readonly bytes: number;
  readonly isActive: boolean;
}

const ACTIVE_STATES = ['running', 'paused', 'restarting'];

export function isActiveContainer({ State }: Pick<ContainerSummary, 'State'>): boolean {
  return ACTIVE_STATES.includes(State);
}

export async function takeInventory(sources: InventorySources): Promise<Inventory> {
  const { disk, buildCache, garbage } = sources;
  const [layers, stored, notes, summaries, roots, records, items] = await Promise.all([
    disk.layers(),
    sources.images.list(),
    disk.noteBytes(),
    sources.containers(),
    disk.roots(),
    buildCache.records(),
    buildCache.items(),
  ]);
  const images = stored.map(async (image) => ({
    image,
    chains: chainIds(image.config.rootfs.diff_ids),
    bytes: await disk.imageBytes(image.id),
    containers: summaries.filter(({ ImageID }) => ImageID === image.id).length,
  }));
  const containers = summaries.map(async (summary) => ({
    summary,
    chain: roots.get(summary.Id) ?? null,
    bytes: await disk.containerBytes(summary.Id),
    isActive: isActiveContainer(summary),
  }));
  const known = new Set(summaries.map(({ Id }) => Id));
  const others = [...roots].flatMap(([id, chain]) => (known.has(id) || chain === null ? [] : [chain]));
  return {
    layers: new LayerSet(layers),
    images: await Promise.all(images),
    notes,
    containers: await Promise.all(containers),
    records,
    items,
    busy: [...garbage.leased(), ...others],
  };
}

export function topsOf(entries: readonly { readonly chain: ChainId | null }[]): readonly ChainId[] {
  return entries.flatMap(({ chain }) => chain ?? []);
}

export function imageTops(images: readonly ImageEntry[]): readonly ChainId[] {
  return images.flatMap(({ chains }) => chains);
}
