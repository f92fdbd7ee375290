import type { ErrorKind } from '../../errors/index.ts';
import type { IngestSummary } from './ingest.ts';
import type { JobValue } from './jobs.ts';

export type WorkerRequest =
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  | { readonly type: 'end'; readonly lowers: readonly string[] };

export type WorkerReply =
  /** The chunk's memory comes back, to be filled again: a thread that left it to its collector would pile it up. */
  | { readonly type: 'taken'; readonly bytes: Uint8Array }
  | { readonly type: 'done'; readonly value: IngestSummary | JobValue }
  | { readonly type: 'failed'; readonly kind: ErrorKind; readonly message: string; readonly hint: string | undefined };
