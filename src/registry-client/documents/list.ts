import { BerthError } from '../../errors/index.ts';
import { isTag, type Registry, type Repository } from '../../oci/index.ts';
import { registryPlace } from '../endpoint.ts';
import type { HttpResponse } from '../http/transport.ts';
import { type Access, callAnywhere } from '../repository.ts';
import type { ApiRequest } from '../session.ts';

const MAX_PAGE_BYTES = 4 * 1024 * 1024;
/** More pages than any registry has: one that links in a circle comes to an end, too. */
const MAX_PAGES = 10_000;
const PAGE = 1000;

/** Tags of a repository, as the registry orders them. @throws BerthError `not-found` */
export function listTags(access: Access, name: Repository, signal?: AbortSignal): AsyncGenerator<string> {
  const request = { actions: 'pull', doing: `listing tags of ${name.repository}`, signal };
  return pages(`tags/list?n=${PAGE}`, (path) =>
    callAnywhere(access, name, { method: 'GET', path, ...request }, (response) => page(response, 'tags', isTag)),
  );
}

/**
 * Repositories of a registry, as it orders them. Many public registries do not tell.
 * @throws BerthError `unauthorized`, `not-found`, `unsupported`
 */
export function listRepositories(
  { session, config, keychain }: Access,
  registry: Registry,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const endpoint = registryPlace(registry, config);
  const request = {
    actions: '',
    scope: 'registry:catalog:*',
    doing: `listing repositories of ${registry}`,
    signal,
  };
  const place = { endpoint: { ...endpoint, repository: '' }, keychain };
  return pages(`_catalog?n=${PAGE}`, (path) =>
    session.call(place, { method: 'GET', path, ...request }, (response) => page(response, 'repositories', isPath)),
  );
}

interface Page {
  readonly names: readonly string[];
  readonly next: URL | undefined;
}

async function* pages(
  first: string,
  get: (path: ApiRequest['path']) => Promise<Page>,
): AsyncGenerator<string, void, undefined> {
  let path: ApiRequest['path'] = first;
  for (let count = 0; count < MAX_PAGES; count += 1) {
    const { names, next }: Page = await get(path);
    yield* names;
    if (next === undefined) return;
    path = next;
  }
}

async function page(response: HttpResponse, field: string, isRight: (name: string) => boolean): Promise<Page> {
  const body = await response.read(MAX_PAGE_BYTES, `a list of ${field}`);
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    value = undefined;
  }
  const names = (value as Readonly<Record<string, unknown>> | null | undefined)?.[field] ?? [];
  if (value === undefined || !Array.isArray(names)) {
    throw new BerthError('invalid', `the list of ${field} is not one`);
  }
  return {
    names: names.filter((name): name is string => typeof name === 'string' && isRight(name)),
    next: nextPage(response.header('link'), response.url),
  };
}

/** What a stranger may not put on a terminal, nor into a path. */
function isPath(name: string): boolean {
  return name.length <= 255 && /^[a-z0-9][a-z0-9._/-]*$/.test(name);
}

/** @see RFC 8288 */
export function nextPage(link: string | undefined, base: URL): URL | undefined {
  const target = /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(link ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, base.href)) return undefined;
  const url = new URL(target, base);
  return url.origin === base.origin ? url : undefined;
}
