import { BerthError, isBerthError } from '../errors/index.ts';
import type { Descriptor } from '../oci/index.ts';
import { reach } from './auth/realm.ts';
import type { OpenBlob } from './blob.ts';
import { failureOf } from './http/failure.ts';
import { type RetryPolicy, withRetry } from './http/retry.ts';
import type { Transport } from './http/transport.ts';

type Fetch = (from: OpenBlob) => AsyncIterable<Uint8Array>;

/** Reads a blob from its registry or, when that does not have it, from the next place that does. */
export async function* withForeign(
  fetch: Fetch,
  registry: OpenBlob,
  elsewhere: readonly OpenBlob[],
): AsyncGenerator<Uint8Array> {
  const places = [registry, ...elsewhere];
  for (const [index, place] of places.entries()) {
    let isBegun = false;
    try {
      for await (const chunk of fetch(place)) {
        isBegun = true;
        yield chunk;
      }
      return;
    } catch (error) {
      if (isBegun || index === places.length - 1 || !isBerthError(error) || error.kind === 'cancelled') throw error;
    }
  }
}

/**
 * The places outside the registry that a descriptor names. They are strangers: they get no credentials, need TLS, and
 * must not be inside networks that whoever wrote the manifest could not reach.
 */
export function foreignSources({ urls = [] }: Descriptor, transport: Transport, retry: RetryPolicy): OpenBlob[] {
  return urls.map((text) => async (offset, signal) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol !== 'https:') throw new BerthError('forbidden', 'a layer lies where no https address leads');
    if (reach(url.hostname) > 0) throw new BerthError('forbidden', `a layer lies in an inner network: ${url.host}`);
    url.username = '';
    url.password = '';
    const headers: Record<string, string> = offset > 0 ? { Range: `bytes=${offset}-` } : {};
    const response = await withRetry(() => transport.send({ method: 'GET', url, headers, signal }), retry, signal);
    if (response.status < 300 || (offset > 0 && response.status === 416)) return response;
    throw await failureOf(response, 'getting a layer from outside the registry');
  });
}
