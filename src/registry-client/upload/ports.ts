import type { Digest } from '../../oci/index.ts';
import type { HttpResponse, Transport } from '../http/transport.ts';

/** A blob to upload. It can be read again, from any place, as often as needed. */
export interface BlobSource {
  readonly digest: Digest;
  readonly size: number;
  open(from: number): AsyncIterable<Uint8Array>;
  /** Absolute path of a file that holds the blob whole, for sources that have one; it may be made on demand. */
  file?(): Promise<string>;
}

/** Remembers uploads that are under way, over restarts. Keys are of any form. */
export interface UploadMemory {
  /** Where an upload goes on; undefined when none is known. */
  recall(key: string): Promise<string | undefined>;
  note(key: string, location: string): Promise<void>;
  forget(key: string): Promise<void>;
  /** The file of a note, in memories made of files: `noteLocation` of another process may write it. */
  fileOf?(key: string): string;
}

/** A part of a blob on its way into an upload: one PATCH. */
export interface Chunk {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly source: BlobSource;
  readonly offset: number;
  readonly length: number;
  /** Takes down where the upload goes on. */
  readonly note?: { readonly memory: UploadMemory; readonly key: string } | undefined;
  readonly transport: Transport;
  readonly signal?: AbortSignal | undefined;
}

export interface SentChunk {
  readonly response: HttpResponse;
  /** From the request to the answer. */
  readonly tookMs: number;
  /** From the last byte that the kernel took to the answer. */
  readonly waitedMs: number;
}

/** Carries chunks to a registry. It neither proves who we are nor tries again: its caller does. */
export interface ChunkSender {
  /** Resolves when no process that lived before still sends, or notes, chunks of the same memory. */
  ready(signal: AbortSignal | undefined): Promise<void>;
  /**
   * @returns the answer, whatever its status; the location that one below 300 names is noted by then
   * @throws BerthError; Transient for what may pass; what the signal says
   */
  send(chunk: Chunk): Promise<SentChunk>;
}

export interface UploadOptions {
  /** Repositories of the same registry that may have the blob: it is mounted from there instead. */
  readonly mountFrom?: readonly string[];
  readonly memory?: UploadMemory;
  /** Who carries the chunks of large blobs. Default: this process. */
  readonly sender?: ChunkSender | undefined;
  /** Called with the bytes that the registry has. */
  readonly onProgress?: (sent: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How a blob came to be in the registry. */
export type UploadOutcome = 'present' | 'mounted' | 'uploaded';
