import type { StorageProblem } from '../../api/contract/index.ts';
import type { ChainId, DiffId, Digest, ImageId } from '../../oci/index.ts';

/** Tells what things take on the disk: allocated bytes, as `du --block-size=1` counts them. */
export interface DiskMeter {
  /** Every committed layer. */
  layers(): Promise<ReadonlyMap<ChainId, LayerFootprint>>;
  /** What an image has for itself: its config. */
  imageBytes(id: ImageId): Promise<number>;
  /** What is remembered of layers beside them. It goes with the last image that has the layer. */
  noteBytes(): Promise<ReadonlyMap<DiffId, number>>;
  /** A container's record, log and writable layer. */
  containerBytes(id: string): Promise<number>;
  /** The chain that each writable layer stands on, those of running build steps, too. */
  roots(): Promise<ReadonlyMap<string, ChainId | null>>;
  /** What does not fit together: looks at everything, content included. */
  verify(): Promise<readonly StorageProblem[]>;
}

export interface LayerFootprint {
  readonly parent: ChainId | null;
  readonly diffId: DiffId;
  readonly createdAt: string;
  readonly bytes: number;
  /** Layers of one group are linked copies: `linkedBytes` of theirs are on the disk once. */
  readonly linkGroup: string | null;
  readonly linkedBytes: number;
}

/** What builds keep for the next ones. */
export interface BuildCacheStore {
  /** What is known of steps that ran. */
  records(): Promise<readonly CacheRecord[]>;
  /** All but layers. */
  items(): Promise<readonly CacheItem[]>;
  removeRecords(keys: ReadonlySet<Digest>): Promise<void>;
  /** @returns bytes that came back; undefined when it is in use after all */
  removeItem(id: string): Promise<number | undefined>;
}

export interface CacheRecord {
  readonly key: Digest;
  readonly chain: ChainId;
  readonly description: string;
  readonly createdAt: string;
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number;
  /** What the record itself takes. */
  readonly bytes: number;
}

export interface CacheItem {
  readonly id: string;
  /** `mount`: a folder of RUN --mount=type=cache. `note`: what can be found out again. `step`: the root of a running step. */
  readonly kind: 'mount' | 'note' | 'step';
  readonly description: string;
  readonly inUse: boolean;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
}
