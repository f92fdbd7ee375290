import { BerthError } from '../errors/index.ts';
import type { Registry } from '../oci/index.ts';
import { basic } from './auth/token.ts';
import { registryPlace } from './endpoint.ts';
import { failureOf } from './http/failure.ts';
import type { Transport } from './http/transport.ts';
import type { Access } from './repository.ts';

/** One image that a search found, as the index tells it. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
}

export interface SearchOptions {
  /** Results at most, as the index is asked for them. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** Docker Hub is searched under another name than it serves images. */
const HUB_INDEX = 'index.docker.io';
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Asks a registry's index (v1 search) for images.
 * @returns undefined when the registry has no search
 * @throws BerthError `unavailable`, `unauthorized`
 * @see moby daemon/pkg/registry/search_session.go
 */
export async function searchIndex(
  { session, config, keychain }: Access,
  transport: Transport,
  { registry, term, limit, signal }: SearchOptions & { readonly registry: Registry; readonly term: string },
): Promise<readonly SearchResult[] | undefined> {
  const { host } = registryPlace(registry, config);
  const isHub = host.credentialKey === 'docker.io';
  const origin = isHub ? new URL(`https://${HUB_INDEX}`) : (await session.open(host, signal)).origin;
  const url = new URL('/v1/search', origin);
  url.searchParams.set('q', term);
  url.searchParams.set('n', String(limit));
  const credentials = await keychain?.find(host.credentialKey, signal);
  const headers = credentials?.kind === 'password' ? { Authorization: basic(credentials) } : {};
  const response = await transport.send({ method: 'GET', url, headers, signal });
  if (response.status >= 500 || response.status === 429) throw await failureOf(response, 'searching');
  if (response.status !== 200) {
    response.discard();
    if (isHub) throw new BerthError('unavailable', `${HUB_INDEX} does not search: it answered ${response.status}`);
    return undefined;
  }
  return parseResults(await response.read(MAX_BYTES, 'the search result'));
}

function parseResults(body: Buffer): readonly SearchResult[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  const results = (value as { readonly results?: unknown } | null)?.results;
  if (!Array.isArray(results)) return undefined;
  return results.flatMap((item: Readonly<Record<string, unknown>> | null) => {
    const { name, description, star_count: stars, is_official: isOfficial } = item ?? {};
    if (typeof name !== 'string' || name === '') return [];
    return {
      name: oneLine(name),
      description: typeof description === 'string' ? oneLine(description) : '',
      stars: typeof stars === 'number' && Number.isFinite(stars) ? Math.trunc(stars) : 0,
      isOfficial: isOfficial === true,
    };
  });
}

/** What strangers wrote, fit for a terminal. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
