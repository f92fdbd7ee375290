import type { DiffId } from '../../oci/index.ts';

/** An image to push, as its store has it. */
export interface PushSource {
  /** The config document's exact bytes. */
  readonly configBytes: Uint8Array;
  /** Lowest first. */
  readonly layers: readonly PushLayer[];
}

export interface PushLayer {
  readonly diffId: DiffId;
  /** Its uncompressed tar. May be read several times. */
  open(): AsyncIterable<Uint8Array>;
}

/** A line of progress in docker's form; the last one has `aux`. */
export interface PushMessage {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly progress?: string;
  readonly aux?: { readonly Tag: string; readonly Digest: string; readonly Size: number };
}

/** How layers are compressed that have no compressed form yet. */
export interface PushCompression {
  readonly format: 'gzip' | 'zstd';
  /** 1 to 9 for gzip (default 1), 1 to 22 for zstd (default 3). */
  readonly level?: number | undefined;
}
