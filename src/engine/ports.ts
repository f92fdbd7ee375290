import type { ChainId, DiffId, HostLimits, ImageConfig, ImageId } from '../oci/index.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import type { NetworkHost } from './networks/network-host.ts';

export type * from './container-runtime.ts';

/** What the engine needs from the machine. `daemon` supplies adapters; tests supply fakes. */
export interface EnginePorts {
  readonly snapshots: EngineSnapshots;
  readonly images: ImageStore;
  readonly runtime: ContainerRuntime;
  readonly store: ObjectStore;
  readonly volumes: VolumeHost;
  /** Folders that builds keep between them. */
  readonly caches?: CacheFolders;
  readonly networks: NetworkHost;
  readonly clock: Clock;
  readonly spool: Spool;
  readonly garbage: LayerGarbage;
  /** The container defaults of this engine. */
  readonly defaults: {
    readonly runtime: string;
    readonly runtimes: readonly string[];
    /** Which limits this host can keep. Absent: all of them. */
    readonly limits?: HostLimits;
  };
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** A mounted, writable root of a container. */
export interface ContainerRoot {
  readonly id: string;
  readonly path: string;
  readonly parent: ChainId | null;
}

export interface CommittedLayer {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  readonly sizeBytes: number;
}

export interface EngineSnapshots {
  /** `overlay2`, `vfs`: what `info` calls the storage driver. */
  readonly driver: string;
  has(chain: ChainId): Promise<boolean>;
  /** Makes the writable layer of a container (not mounted). It stays until `remove`. */
  create(id: string, parent: ChainId | null): Promise<void>;
  /** Mounts a container's writable layer; mounting twice gives the same mount. */
  mount(id: string): Promise<ContainerRoot>;
  /** Unmounts, keeps the writable layer. Idempotent. */
  unmount(id: string): Promise<void>;
  /** Unmounts and deletes the writable layer. Idempotent. */
  remove(id: string): Promise<void>;
  /** Every writable layer that exists, for recovery. */
  ids(): Promise<readonly string[]>;
  /** Copies the container's changes into a new committed layer; the container keeps running. */
  commitCopy(id: string): Promise<CommittedLayer>;
  /** The merged tree of a container as an uncompressed tar. */
  exportTar(id: string): AsyncIterable<Uint8Array>;
  /** Bytes of file content in the container's writable layer. */
  usage(id: string): Promise<number>;
  /** Reads a layer tar (plain, gzip or zstd) and commits it on `parent`. Refuses hostile entries by name. */
  apply(
    parent: ChainId | null,
    tar: AsyncIterable<Uint8Array>,
    options?: {
      readonly expected?: DiffId;
      readonly signal?: AbortSignal;
      /** The parent need not be there before this resolves: layers are unpacked side by side. */
      readonly parentReady?: Promise<unknown>;
    },
  ): Promise<CommittedLayer>;
  /** The uncompressed tar of a committed layer; its digest is the diff ID. */
  layerTar(chain: ChainId): AsyncIterable<Uint8Array>;
  /** `parent` is null for a lowest layer. */
  layerInfo(
    chain: ChainId,
  ): Promise<(CommittedLayer & { readonly tarBytes: number; readonly parent?: ChainId | null }) | undefined>;
  /** Deletes a layer that no image, container or child layer needs. */
  removeLayer(chain: ChainId): Promise<void>;
}

export interface StoredImage {
  readonly id: ImageId;
  readonly config: ImageConfig;
  /** The config document's exact bytes, whose digest is the id. */
  readonly configBytes: Uint8Array;
  /** Canonical references, with tag, that point here. */
  readonly names: readonly string[];
  /** Canonical `name@digest` references by which it was pulled or pushed. */
  readonly repoDigests: readonly string[];
  /** ISO time of the last tag change. */
  readonly taggedAt: string;
}

/** Image configs and the names that point at them. */
export interface ImageStore {
  /** By canonical name (tag or digest). */
  find(name: string): Promise<StoredImage | undefined>;
  get(id: ImageId): Promise<StoredImage | undefined>;
  list(): Promise<readonly StoredImage[]>;
  /** Stores a config document (exact bytes) and points the names at it, names last. */
  put(configBytes: Uint8Array, names: readonly string[], repoDigests?: readonly string[]): Promise<StoredImage>;
  tag(id: ImageId, name: string): Promise<void>;
  untag(name: string): Promise<void>;
  /** Removes the config and every name. Layers are the caller's business. */
  remove(id: ImageId): Promise<void>;
}

/** Room on disk for parts of an archive that come before they can be used. */
export interface Spool {
  open(): Promise<SpoolArea>;
}

/** One operation's spooled parts. Nothing of it survives `close`, nor an engine restart. */
export interface SpoolArea {
  /** Keeps a part under a key of the caller's choice (never used as a path). @returns bytes written */
  write(key: string, content: AsyncIterable<Uint8Array>): Promise<number>;
  /** A part may be read several times. */
  read(key: string): AsyncIterable<Uint8Array>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Decides which committed layers may go. It knows everything that needs a layer: images, containers, build records. */
export interface LayerGarbage {
  /**
   * Keeps layers from being removed while an operation still has to point an image at them. They need not exist yet.
   * Resolves when no removal is running; what `has` says afterwards stays true until the release (which is idempotent).
   */
  lease(chains: readonly ChainId[]): Promise<() => void>;
  /** Deletes those of the layers that nothing needs. @returns the chains that are gone, highest first */
  removeUnneeded(chains: readonly ChainId[]): Promise<readonly ChainId[]>;
}

export type ObjectKind = 'container' | 'network' | 'volume';

/** Small JSON documents, one file each, replaced atomically and durably. */
export interface ObjectStore {
  read<T>(kind: ObjectKind, id: string): Promise<T | undefined>;
  write(kind: ObjectKind, id: string, value: unknown): Promise<void>;
  remove(kind: ObjectKind, id: string): Promise<void>;
  list(kind: ObjectKind): Promise<readonly string[]>;
  /** Folder for files of one object (a log, a volume's data), made when missing. `remove` deletes it, too. */
  folder(kind: ObjectKind, id: string): Promise<string>;
}

/** Folders that RUN steps and containers share, by id. */
export interface CacheFolders {
  open(request: {
    readonly id: string;
    readonly sharing: 'shared' | 'private' | 'locked';
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly signal: AbortSignal;
  }): Promise<{ readonly path: string; release(): Promise<void> }>;
}

/** Folders for data that outlives containers. */
export interface VolumeHost {
  /** Every volume that has data, known to a record or not. */
  names(): Promise<readonly string[]>;
  /** Where the data lies. */
  pathOf(name: string): string;
  /** @throws BerthError `invalid` for options that the local driver does not have */
  checkOptions(options: Readonly<Record<string, string>>): void;
  /** Idempotent. */
  create(name: string): Promise<void>;
  /** Deletes the data. */
  remove(name: string): Promise<void>;
  /** Mounts what the options say over the folder. Idempotent. */
  mount(name: string, options: Readonly<Record<string, string>>): Promise<void>;
  unmount(name: string): Promise<void>;
  /** Fills an empty volume with a folder of a root, and gives it that folder's owner and mode. */
  populate(name: string, source: { readonly root: string; readonly path: string }): Promise<void>;
  /** Bytes of file content. */
  usage(name: string): Promise<number>;
}
