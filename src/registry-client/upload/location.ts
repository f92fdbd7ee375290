import { BerthError } from '../../errors/index.ts';
import type { HttpResponse } from '../http/transport.ts';

/**
 * The place for the next request of an upload. It may be relative. A proxy that ends TLS makes some registries name
 * http: that is not followed, but mended.
 * @param fallback where the upload goes on when the answer names no place
 * @throws BerthError `invalid` for an answer without a place, `forbidden` for one without encryption
 */
export function nextLocation(response: Pick<HttpResponse, 'url' | 'header'>, fallback?: URL): URL {
  const { url } = response;
  const text = response.header('location');
  if (text === undefined && fallback) return fallback;
  if (text === undefined || !URL.canParse(text, url.href)) {
    throw new BerthError('invalid', `${url.host} began an upload without saying where`);
  }
  const location = new URL(text, url);
  if (location.host === url.host) location.protocol = url.protocol;
  if (location.protocol !== 'https:' && location.protocol !== url.protocol) {
    throw new BerthError('forbidden', `${url.host} wants the upload at ${location.host} without encryption`);
  }
  return location;
}
