import { createHash, type Hash } from 'node:crypto';
import { BerthError } from '../errors/index.ts';
import { algorithmOf, type Descriptor } from '../oci/index.ts';
import { Transient } from './http/failure.ts';
import { type RetryPolicy, waitMs } from './http/retry.ts';
import type { HttpResponse } from './http/transport.ts';

export interface BlobOptions {
  /** Goes on behind bytes that the caller has; `hash` has taken them in. */
  readonly from?: { readonly offset: number; readonly hash: Hash };
  readonly signal?: AbortSignal | undefined;
}

/** Asks for a blob from an offset (0: all of it). Answers 200, 206 or 416. */
export type OpenBlob = (offset: number, signal: AbortSignal | undefined) => Promise<HttpResponse>;

/**
 * The bytes of a blob, checked as they pass: the end comes only when length and digest are right. A connection that
 * breaks is taken up again where it broke.
 * @throws BerthError `invalid` for wrong content, `unavailable` after five tries that brought nothing
 */
export async function* readBlob(
  { digest, size }: Descriptor,
  open: OpenBlob,
  retry: RetryPolicy,
  { from, signal }: BlobOptions = {},
): AsyncGenerator<Uint8Array> {
  const hash = from?.hash ?? createHash(algorithmOf(digest));
  let offset = from?.offset ?? 0;
  let canResume = true;
  for (let failures = 0; offset < size || size === 0; ) {
    const before = offset;
    try {
      const response = await open(canResume ? offset : 0, signal);
      let skip = offset - startOf(response, canResume ? offset : 0);
      for await (const chunk of response.body) {
        const rest = skip > 0 ? chunk.subarray(Math.min(skip, chunk.length)) : chunk;
        skip -= chunk.length - rest.length;
        if (rest.length === 0) continue;
        offset += rest.length;
        if (offset > size) throw new BerthError('invalid', `blob ${digest} is longer than the ${size} bytes announced`);
        hash.update(rest);
        yield rest;
      }
      if (offset === size) break;
      throw new Transient(new BerthError('unavailable', `blob ${digest} ended after ${offset} of ${size} bytes`));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RangeRefused) canResume = false;
      else if (!(error instanceof Transient)) throw error;
      failures = offset > before ? 1 : failures + 1;
      const afterMs = error instanceof Transient ? error.afterMs : 0;
      if (failures >= retry.attempts) throw error.error;
      await retry.sleep(waitMs(failures, afterMs, retry), signal);
    }
  }
  const found = `${algorithmOf(digest)}:${hash.digest('hex')}`;
  if (found !== digest) {
    throw new BerthError('invalid', `blob ${digest} does not match its digest: the registry sent ${found}`);
  }
}

/** The registry does not give the part that was asked for. */
class RangeRefused extends Error {
  readonly error: BerthError;

  constructor(why: string) {
    super(why);
    this.error = new BerthError('unavailable', why);
  }
}

/** Where an answer's bytes begin. Some registries ignore Range and send all. */
function startOf(response: HttpResponse, asked: number): number {
  if (response.status === 200) return 0;
  const range = /^bytes (\d+)-/.exec(response.header('content-range') ?? '');
  if (response.status === 206 && range && Number(range[1]) === asked) return asked;
  response.discard();
  throw new RangeRefused(`${response.url.host} answered ${response.status} to a request for bytes from ${asked}`);
}
