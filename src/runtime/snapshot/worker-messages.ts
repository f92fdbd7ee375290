import type { ErrorKind } from '../../errors/index.ts';
import type { IngestSummary } from './ingest.ts';
import type { TreeSummary } from './jobs.ts';
import type { TreeUsage } from './tree/allocated.ts';

export type WorkerRequest = { readonly type: 'chunk'; readonly bytes: Uint8Array } | { readonly type: 'end' };

export type WorkerReply =
  /** The chunk's memory comes back, to be filled again: a thread that left it to its collector would pile it up. */
  | { readonly type: 'taken'; readonly bytes: Uint8Array }
  | { readonly type: 'done'; readonly value: IngestSummary | TreeSummary | TreeUsage | number }
  | { readonly type: 'failed'; readonly kind: ErrorKind; readonly message: string; readonly hint: string | undefined };
