import { BerthError } from '../../errors/index.ts';
import { type Digest, familiarName, isDigest, type Reference, sha256 } from '../../oci/index.ts';
import { type Access, callAnywhere, type RepositoryName, writePlace } from '../repository.ts';
import { targetOf } from './fetch.ts';

const MAX_PAGE_BYTES = 4 * 1024 * 1024;
/** More pages than any registry has: one that links in a circle comes to an end, too. */
const MAX_PAGES = 10_000;

/**
 * Stores a document under a tag or its digest. All that it refers to must be there.
 * @returns its digest, and whether the registry will list it as a referrer of its subject
 * @throws BerthError `invalid` when the registry took it for another
 */
export async function putDocument(
  access: Access,
  reference: Reference,
  document: { readonly bytes: Uint8Array; readonly mediaType: string; readonly signal?: AbortSignal },
): Promise<{ readonly digest: Digest; readonly listsReferrers: boolean }> {
  const digest = reference.digest ?? sha256(document.bytes);
  const request = {
    method: 'PUT',
    path: `manifests/${targetOf(reference)}`,
    headers: { 'Content-Type': document.mediaType, 'Content-Length': String(document.bytes.length) },
    body: () => document.bytes,
    actions: 'pull,push',
    doing: `pushing ${familiarName(reference)}`,
    signal: document.signal,
  } as const;
  return await access.session.call(writePlace(access, reference), request, (response) => {
    response.discard();
    const said = response.header('docker-content-digest');
    if (said !== undefined && isDigest(said) && said.startsWith('sha256:') && said !== sha256(document.bytes)) {
      throw new BerthError('invalid', `the registry took the manifest ${digest} for ${said}`);
    }
    return { digest, listsReferrers: response.header('oci-subject') !== undefined };
  });
}

/** Deletes a tag or a document. @throws BerthError `not-found`, `unsupported` when the registry does not delete */
export async function deleteDocument(access: Access, reference: Reference, signal?: AbortSignal): Promise<void> {
  const doing = `deleting ${familiarName(reference)}`;
  const path = `manifests/${targetOf(reference)}`;
  await access.session.call(
    writePlace(access, reference),
    { method: 'DELETE', path, actions: 'delete', doing, signal },
    (response) => response.discard(),
  );
}

/** Tags of a repository, as the registry orders them. @throws BerthError `not-found` */
export async function* listTags(access: Access, name: RepositoryName, signal?: AbortSignal): AsyncGenerator<string> {
  let path: string | URL = 'tags/list?n=1000';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const doing = `listing tags of ${name.repository}`;
    const { tags, next }: TagPage = await callAnywhere(
      access,
      name,
      { method: 'GET', path, actions: 'pull', doing, signal },
      async (response) => ({
        tags: parseTags(await response.read(MAX_PAGE_BYTES, 'a list of tags')),
        next: nextPage(response.header('link'), response.url),
      }),
    );
    yield* tags;
    if (next === undefined) return;
    path = next;
  }
}

interface TagPage {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

function parseTags(body: Buffer): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    value = undefined;
  }
  const tags = (value as { tags?: unknown } | null | undefined)?.tags ?? [];
  if (value === undefined || !Array.isArray(tags)) throw new BerthError('invalid', 'the list of tags is not one');
  return tags.filter((tag): tag is string => typeof tag === 'string' && /^\w[\w.-]{0,127}$/.test(tag));
}

/** @see RFC 8288 */
function nextPage(link: string | undefined, base: URL): URL | undefined {
  const target = /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(link ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, base.href)) return undefined;
  const url = new URL(target, base);
  return url.origin === base.origin ? url : undefined;
}
