import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { ResponseHead } from './response-parser.ts';

export type WireBody = string | Uint8Array | AsyncIterable<Uint8Array> | undefined;

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: WireBody;
  readonly signal: AbortSignal | undefined;
}

export type WireAnswer =
  | { readonly kind: 'response'; readonly head: ResponseHead; readonly body: Readable }
  | { readonly kind: 'upgrade'; readonly head: ResponseHead; readonly socket: Socket };

export function isStream(body: WireBody): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body;
}
