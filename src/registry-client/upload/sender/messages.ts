import type { ErrorKind } from '../../../errors/index.ts';
import type { TlsFiles } from '../../http/tls-files.ts';

/** How hosts of an origin are reached; told once, before the first chunk that goes there. */
export interface ReachMessage {
  readonly kind: 'reach';
  readonly origin: string;
  readonly userAgent: string;
  readonly tls: TlsFiles & { readonly unverified: boolean };
  readonly proxy: string | undefined;
  readonly idleTimeoutMs: number | undefined;
}

/** A chunk to send, and the file under which its answer's location is noted. */
export interface SendMessage {
  readonly kind: 'send';
  readonly id: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly notePath: string;
}

export interface AbortMessage {
  readonly kind: 'abort';
  readonly id: number;
}

/** What an engine says to its sender, over a socket pair that only the two have. */
export type ToSender = ReachMessage | SendMessage | AbortMessage;

export interface AnswerMessage {
  readonly kind: 'answer';
  readonly id: number;
  readonly status: number;
  /** Those of `answerHeaders` that came. */
  readonly headers: Readonly<Record<string, string>>;
  /** The error document of an answer that tells a failure. */
  readonly body: string;
  readonly tookMs: number;
  readonly waitedMs: number;
}

export interface FailureMessage {
  readonly kind: 'failure';
  readonly id: number;
  readonly error: { readonly kind: ErrorKind; readonly message: string; readonly hint: string | undefined };
  /** It may pass: a Transient. */
  readonly isPassing: boolean;
}

export type FromSender = AnswerMessage | FailureMessage;

/** What an upload reads of an answer to a chunk. */
export const answerHeaders = [
  'location',
  'range',
  'retry-after',
  'www-authenticate',
  'oci-chunk-min-length',
  'docker-content-digest',
] as const;
