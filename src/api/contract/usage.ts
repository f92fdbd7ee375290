import type { ContainerSummary } from './containers.ts';
import type { ImageDeleted, ImageSummary } from './images.ts';

/** Wire shapes of `/system/df` and of the prunes. All sizes are allocated bytes. @see Docker Engine API v1.50 */
export interface DiskUsageBody extends UsageTotals {
  /** What all images take, each layer counted once. */
  readonly LayersSize: number;
  readonly Images?: readonly ImageSummary[];
  readonly Containers?: readonly ContainerSummary[];
  readonly Volumes?: readonly VolumeUsageBody[];
  readonly BuildCache?: readonly BuildCacheBody[];
  /** Berth's own, when it was asked for: what does not fit together on the disk. */
  readonly Problems?: readonly StorageProblem[];
}

/** Totals as API 1.52 has them; older clients skip them. */
export interface UsageTotals {
  readonly ImageUsage?: UsageTotal;
  readonly ContainerUsage?: UsageTotal;
  readonly VolumeUsage?: UsageTotal;
  readonly BuildCacheUsage?: UsageTotal;
}

export interface UsageTotal {
  readonly TotalCount: number;
  readonly ActiveCount: number;
  readonly TotalSize: number;
  /** What a prune of this kind alone, with `--all`, gives back. */
  readonly Reclaimable: number;
}

export interface VolumeUsageBody {
  readonly Name: string;
  readonly UsageData?: { readonly Size: number; readonly RefCount: number } | null;
}

export interface BuildCacheBody {
  readonly ID: string;
  readonly Type: 'regular' | 'internal' | 'exec.cachemount';
  readonly Description: string;
  readonly InUse: boolean;
  /** An image or a container has it, too: its size counts there. */
  readonly Shared: boolean;
  readonly Size: number;
  readonly CreatedAt: string;
  readonly LastUsedAt: string | null;
  readonly UsageCount: number;
}

export interface StorageProblem {
  readonly Kind: 'orphan' | 'damaged' | 'missing';
  /** What is concerned: a digest, an id, a path below the data folder. */
  readonly Subject: string;
  readonly Message: string;
}

export interface ImagesPruned {
  readonly ImagesDeleted: readonly ImageDeleted[] | null;
  readonly SpaceReclaimed: number;
}

export interface ContainersPruned {
  readonly ContainersDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

export interface BuildCachePruned {
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}
