import type { Digest } from '../../oci/index.ts';

/** A blob to upload. It can be read again, from any place, as often as needed. */
export interface BlobSource {
  readonly digest: Digest;
  readonly size: number;
  open(from: number): AsyncIterable<Uint8Array>;
}

/** Remembers uploads that are under way, over restarts. Keys are of any form. */
export interface UploadMemory {
  /** Where an upload goes on; undefined when none is known. */
  recall(key: string): Promise<string | undefined>;
  note(key: string, location: string): Promise<void>;
  forget(key: string): Promise<void>;
}

export interface UploadOptions {
  /** Repositories of the same registry that may have the blob: it is mounted from there instead. */
  readonly mountFrom?: readonly string[];
  readonly memory?: UploadMemory;
  /** Called with the bytes that the registry has. */
  readonly onProgress?: (sent: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How a blob came to be in the registry. */
export type UploadOutcome = 'present' | 'mounted' | 'uploaded';
