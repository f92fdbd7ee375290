import type { Descriptor, Digest, Repository } from '../../oci/index.ts';
import type { BlobOptions } from '../blob.ts';
import type { FetchedDocument } from '../resolve.ts';

/** One image in a place that images are read from. */
export interface CopySource {
  /** As people write it. */
  readonly name: string;
  /** Set for a registry: a target in the same one can mount blobs. */
  readonly repository?: Repository;
  readonly allowsForeignLayers: boolean;
  /** The document of a digest; without one, that of the image itself. */
  getDocument(digest: Digest | undefined, signal: AbortSignal): Promise<FetchedDocument>;
  /** Checked bytes: only right content comes to its end. */
  openBlob(blob: Descriptor, options: BlobOptions): AsyncIterable<Uint8Array>;
  listReferrers(digest: Digest, signal: AbortSignal): Promise<readonly Descriptor[]>;
  /** Removes what was unpacked. */
  close(): Promise<void>;
}

/** A place that images are written to. */
export interface CopyTarget {
  readonly name: string;
  readonly repository?: Repository;
  /** True when a document is there with all that it refers to. */
  hasDocument(digest: Digest, signal: AbortSignal): Promise<boolean>;
  putBlob(
    blob: Descriptor,
    source: CopySource,
    options: { readonly onProgress: (sent: number) => void; readonly signal: AbortSignal },
  ): Promise<'present' | 'mounted' | 'uploaded'>;
  /** @param isTop the image itself, which gets the name */
  putDocument(
    document: FetchedDocument,
    options: { readonly isTop: boolean; readonly signal: AbortSignal },
  ): Promise<void>;
  /** Makes everything visible at once, where that can be done. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

/** A line of progress in docker's form. */
export interface CopyMessage {
  readonly status: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly progress?: string;
}
