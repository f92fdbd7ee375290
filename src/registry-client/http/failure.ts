import { BerthError, type ErrorKind } from '../../errors/index.ts';
import type { HttpResponse } from './transport.ts';

/** A failure that may pass by itself. `error` is what the caller sees when it does not. */
export class Transient extends Error {
  readonly error: BerthError;
  /** How long the other side asked to be left alone. */
  readonly afterMs: number | undefined;

  constructor(error: BerthError, afterMs?: number) {
    super(error.message);
    this.name = 'Transient';
    this.error = error;
    this.afterMs = afterMs;
  }
}

/** One entry of a registry's error document. @see distribution-spec, "Error Codes" */
export interface RegistryErrorEntry {
  readonly code: string;
  readonly message: string;
}

const MAX_ERROR_BYTES = 64 * 1024;
const MAX_SHOWN = 300;

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'unsupported',
  409: 'conflict',
  413: 'invalid',
  415: 'unsupported',
  429: 'unavailable',
};

/** Reads the error document of an answer; an answer without one has no entries. Consumes the body. */
export async function readErrors(response: HttpResponse): Promise<readonly RegistryErrorEntry[]> {
  try {
    const value: unknown = JSON.parse((await response.read(MAX_ERROR_BYTES, 'the error')).toString('utf8'));
    const errors = (value as { errors?: unknown } | null)?.errors;
    if (!Array.isArray(errors)) return [];
    return errors.slice(0, 5).flatMap((item: { code?: unknown; message?: unknown } | null) => {
      const { code, message } = item ?? {};
      return [{ code: plain(code), message: plain(message) }];
    });
  } catch {
    return [];
  }
}

/** An answer that means failure, as an error. The text holds no header, no query and no credential. */
export async function failureOf(response: HttpResponse, doing: string): Promise<BerthError> {
  const entries = await readErrors(response);
  const said = entries.map(({ code, message }) =>
    [code.toLowerCase().replaceAll('_', ' '), message].filter(Boolean).join(': '),
  );
  const text = said.filter(Boolean).join('; ') || (WORDS[response.status] ?? `it answered ${response.status}`);
  const kind = KINDS[response.status] ?? (response.status >= 500 ? 'unavailable' : 'invalid');
  const hint = HINTS[response.status];
  return new BerthError(kind, `${doing} failed: ${response.url.host}: ${text}`, hint === undefined ? {} : { hint });
}

/** For answers without a document, as those to HEAD. */
const WORDS: Readonly<Record<number, string>> = {
  401: 'authentication required',
  403: 'access denied',
  404: 'not found',
  429: 'too many requests',
};

const HINTS: Readonly<Record<number, string>> = {
  401: 'log in to the registry, or check the name',
  403: 'these credentials may not do that: log in as another user',
  429: 'the registry limits how often it may be asked: wait, or log in for a higher limit',
};

/** What a server sent, fit for a terminal. */
function plain(value: unknown): string {
  if (typeof value !== 'string') return '';
  return value.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, MAX_SHOWN);
}

/** Codes of failures after which the same request may well succeed. */
const PASSING = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);

/** A failure below HTTP. */
export function connectionFailure(error: unknown, url: URL): BerthError | Transient {
  const { code, message } = error as NodeJS.ErrnoException;
  const where = url.host;
  if (code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) {
    return new BerthError('unavailable', `the certificate of ${where} is not trusted: ${message}`, {
      hint: `put the registry's CA into certs.d/${where}/ca.crt`,
      cause: error,
    });
  }
  const why = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'its name cannot be looked up' : message;
  const failure = new BerthError('unavailable', `cannot reach the registry ${where}: ${why}`, {
    hint: 'without a registry, images come from archives: berth load, berth import',
    cause: error,
  });
  return code !== undefined && PASSING.has(code) ? new Transient(failure) : failure;
}

/** True when a TLS handshake failed because the other side does not speak TLS at all. */
export function isNotTls(error: unknown): boolean {
  const cause = error instanceof Transient ? error.error.cause : (error as BerthError).cause;
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException;
  return (
    code === 'EPROTO' || code === 'ECONNRESET' || /^ERR_SSL_(WRONG_VERSION|PACKET_LENGTH|RECORD|UNEXPECTED)/.test(code)
  );
}
