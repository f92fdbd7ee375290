import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import type { Filters, ImageSearchResult } from '../api/contract/index.ts';
import type { RegistriesApi } from '../api/server/index.ts';
import type { RemoteFiles } from '../builder/ports.ts';
import { BerthError } from '../errors/index.ts';
import { searchedRegistry } from '../oci/index.ts';
import { type RegistryClient, registryOf, type SearchResult } from '../registry-client/index.ts';
import { credentialsOf, keychainOf } from './credentials.ts';

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

/** Serves logins, searches, and what imports name by URL. */
export function createRegistryServices(options: {
  readonly client: RegistryClient;
  readonly web: RemoteFiles['web'];
  /** Takes downloads; it exists. */
  readonly temporary: string;
}): RegistriesApi {
  const { client, web, temporary } = options;
  return {
    async logIn(auth, signal) {
      const credentials = credentialsOf(auth);
      if (credentials === undefined) throw new BerthError('unauthorized', 'no user and password were given');
      const { identityToken } = await client.logIn(registryOf(auth.serveraddress ?? 'docker.io'), credentials, signal);
      return identityToken ?? '';
    },

    async search(text, { limit = DEFAULT_LIMIT, filters, auth, signal }) {
      const size = limit === 0 ? DEFAULT_LIMIT : limit;
      if (size < 1 || size > MAX_LIMIT) {
        throw new BerthError('invalid', `Limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`);
      }
      const { registry, term } = searchedRegistry(text);
      const accepts = searchFilter(filters);
      const access = client.as(keychainOf(auth, registry));
      const found = await access.search(registry, term, { limit: size, signal });
      if (found === undefined) return await searchCatalog(access, { registry, term, size, accepts, signal });
      const shown = (name: string) => (registry === 'docker.io' ? name : `${registry}/${name}`);
      return found
        .filter(accepts)
        .slice(0, size)
        .map((result) => bodyOf({ ...result, name: shown(result.name) }));
    },

    async download(url, signal) {
      if (!/^https?:\/\//i.test(url)) throw new BerthError('invalid', `${url} is not an http or https address`);
      const file = await web(url, { signal });
      const path = `${temporary}/import-${randomBytes(8).toString('hex')}`;
      const dispose = async () => {
        file.close();
        await rm(path, { force: true });
      };
      try {
        const { bavail, bsize } = await statfs(temporary);
        await file.save(path, bavail * bsize);
        return { content: readFile(path), dispose };
      } catch (error) {
        await dispose();
        throw error;
      }
    },
  };
}

/** Opened by the first read: an import that is refused before leaves nothing open. */
async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path) as AsyncIterable<Uint8Array>;
}

type Accepts = (result: SearchResult) => boolean;

function searchFilter(filters: Filters): Accepts {
  const flag = (name: string): boolean | undefined => {
    const [value] = filters.get(name) ?? [];
    if (value === undefined) return undefined;
    if (!/^(true|false|1|0)$/i.test(value)) throw badFilter(name, value);
    return /^(true|1)$/i.test(value);
  };
  const isOfficial = flag('is-official');
  const isAutomated = flag('is-automated');
  const leastStars = Math.max(
    0,
    ...(filters.get('stars') ?? []).map((value) => {
      if (!/^\d{1,9}$/.test(value)) throw badFilter('stars', value);
      return Number(value);
    }),
  );
  return (result) =>
    result.stars >= leastStars && (isOfficial ?? result.isOfficial) === result.isOfficial && isAutomated !== true;
}

function badFilter(name: string, value: string): BerthError {
  return new BerthError('invalid', `invalid filter '${name}=${value}'`);
}

/** Registries of our time have no search: their list of repositories is the next best. */
async function searchCatalog(
  client: RegistryClient,
  options: {
    readonly registry: string;
    readonly term: string;
    readonly size: number;
    readonly accepts: Accepts;
    readonly signal: AbortSignal;
  },
): Promise<readonly ImageSearchResult[]> {
  const { registry, term, size, accepts, signal } = options;
  const results: ImageSearchResult[] = [];
  for await (const name of client.listRepositories(registry, signal)) {
    const result = { name: `${registry}/${name}`, description: '', stars: 0, isOfficial: false };
    if (!name.includes(term.toLowerCase()) || !accepts(result)) continue;
    results.push({ ...bodyOf(result), source: 'catalog' });
    if (results.length === size) break;
  }
  return results;
}

function bodyOf({ name, description, stars, isOfficial }: SearchResult): ImageSearchResult {
  return { name, description, star_count: stars, is_official: isOfficial, is_automated: false };
}
