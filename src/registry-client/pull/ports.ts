import type { ChainId, DiffId, Digest } from '../../oci/index.ts';

/** Where a pulled image goes. */
export interface PullSink {
  /** Keeps layers from being removed until the release, which is idempotent. They need not exist yet. */
  hold(chains: readonly ChainId[]): Promise<() => void>;
  /** By the digest of its config. */
  hasImage(id: Digest): Promise<boolean>;
  hasLayer(chain: ChainId): Promise<boolean>;
  /**
   * Unpacks a layer (plain, gzip or zstd) on its parent, which is there at the latest when `parentReady` resolves.
   * @throws BerthError `invalid` when its uncompressed tar is not `expected`
   */
  applyLayer(
    parent: ChainId | null,
    tar: AsyncIterable<Uint8Array>,
    options: { readonly expected: DiffId; readonly signal: AbortSignal; readonly parentReady?: Promise<unknown> },
  ): Promise<void>;
  /** Takes back layers of a pull that failed, unless something else came to need them. */
  removeLayers(chains: readonly ChainId[]): Promise<void>;
  /** Names last. @returns false when all of it was known already */
  putImage(image: {
    readonly configBytes: Uint8Array;
    /** Canonical, as `docker.io/library/busybox:latest`. */
    readonly names: readonly string[];
    /** Canonical, as `docker.io/library/busybox@sha256:...`. */
    readonly repoDigests: readonly string[];
  }): Promise<{ readonly isNew: boolean }>;
}

/** A line of progress in docker's form. */
export interface PullMessage {
  readonly status: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly progress?: string;
}
