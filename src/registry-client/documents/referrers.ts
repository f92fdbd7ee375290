import { BerthError, isBerthError } from '../../errors/index.ts';
import {
  createIndex,
  type Descriptor,
  type Digest,
  encodeIndex,
  familiarRepository,
  type Reference,
  type Repository,
} from '../../oci/index.ts';
import type { HttpResponse } from '../http/transport.ts';
import { type Access, callAnywhere } from '../repository.ts';
import type { ApiRequest } from '../session.ts';
import { fetchDocument } from './fetch.ts';
import { nextPage } from './list.ts';
import { type Document, MAX_MANIFEST_BYTES, parseDocument } from './parse.ts';
import { deleteDocument, putDocument } from './write.ts';

const MAX_PAGES = 1000;
/** Answers of registries that do not have this part of the protocol. */
const UNKNOWN = [400, 404, 405, 406, 501];
/** Writers that meet at the fallback tag try again this often. */
const TRIES = 5;

export interface ReferrersOptions {
  /** Only those of this kind. */
  readonly artifactType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What refers to a document: signatures, attestations and other artifacts. A registry without the referrers API is asked
 * for the tag under which clients keep the list there.
 * @see distribution-spec, "Listing Referrers" and "Referrers Tag Schema"
 */
export async function listReferrers(
  access: Access,
  { digest, ...name }: Repository & { readonly digest: Digest },
  { artifactType, signal }: ReferrersOptions = {},
): Promise<readonly Descriptor[]> {
  const all =
    (await fromApi(access, name, { digest, artifactType, signal })) ??
    (await fromTag(access, { ...name, digest }, signal));
  // A registry says by a header whether it did look at the type; looking again is cheap.
  return artifactType === undefined ? all : all.filter((entry) => entry.artifactType === artifactType);
}

interface Asked extends ReferrersOptions {
  readonly digest: Digest;
}

/** Undefined when the registry does not know the API. */
async function fromApi(
  access: Access,
  name: Repository,
  { digest, artifactType, signal }: Asked,
): Promise<readonly Descriptor[] | undefined> {
  const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType })}`;
  const found: Descriptor[] = [];
  let path: ApiRequest['path'] = `referrers/${digest}${query}`;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const doing = `listing referrers of ${familiarRepository(name)}@${digest.slice(0, 19)}`;
    const request: ApiRequest = { method: 'GET', path, actions: 'pull', doing, understood: UNKNOWN, signal };
    const answer = await callAnywhere(access, name, request, readPage);
    if (answer === undefined) return page === 0 ? undefined : found;
    found.push(...answer.manifests);
    if (answer.next === undefined) break;
    path = answer.next;
  }
  return found;
}

async function readPage(
  response: HttpResponse,
): Promise<{ readonly manifests: readonly Descriptor[]; readonly next: URL | undefined } | undefined> {
  if (response.status !== 200) {
    response.discard();
    return undefined;
  }
  const bytes = await response.read(MAX_MANIFEST_BYTES, 'a list of referrers');
  try {
    const document = parseDocument(bytes, response.header('content-type'), 'the list of referrers');
    if (document.kind !== 'index') return undefined;
    return { manifests: document.index.manifests, next: nextPage(response.header('link'), response.url) };
  } catch (error) {
    // Some registries answer every path that they do not know with a page for people.
    if (isBerthError(error)) return undefined;
    throw error;
  }
}

/** The tag that stands for the API. */
export function fallbackTag(digest: Digest): string {
  return digest.replace(':', '-').slice(0, 128);
}

async function fromTag(
  access: Access,
  { digest, ...name }: Repository & { readonly digest: Digest },
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  const { document } = (await fetchIfThere(access, { ...name, tag: fallbackTag(digest) }, signal)) ?? {};
  return document?.kind === 'index' ? document.index.manifests : [];
}

async function fetchIfThere(access: Access, reference: Reference, signal: AbortSignal | undefined) {
  try {
    return await fetchDocument(access, reference, signal);
  } catch (error) {
    // Whoever may not read would have been told before.
    if (isBerthError(error) && error.kind === 'not-found') return undefined;
    throw error;
  }
}

/** How a list of referrers speaks of a document. @see distribution-spec, "Listing Referrers" */
export function referrerEntry(
  document: Document,
  { digest, size }: { readonly digest: Digest; readonly size: number },
): Descriptor {
  const { mediaType } = document;
  const { annotations } = document.kind === 'index' ? document.index : document.manifest;
  const artifactType =
    document.kind === 'index'
      ? document.index.artifactType
      : (document.manifest.artifactType ?? document.manifest.config.mediaType);
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

export function subjectOf(document: Document): Descriptor | undefined {
  return document.kind === 'index' ? document.index.subject : document.manifest.subject;
}

/**
 * Keeps lists of referrers under fallback tags. Reading, changing and writing a tag is not one step for a registry:
 * writers of one process go one after the other, and each looks afterwards whether another process has undone its work.
 */
export class FallbackTags {
  readonly #turns = new Map<string, Promise<unknown>>();

  /** @throws BerthError `conflict` when others keep undoing it */
  async add(
    access: Access,
    subject: Repository & { readonly digest: Digest },
    entry: Descriptor,
    signal?: AbortSignal,
  ) {
    await this.#change(access, subject, { digest: entry.digest, entry, signal });
  }

  /** The tag goes with its last entry, where the registry lets it. */
  async remove(
    access: Access,
    subject: Repository & { readonly digest: Digest },
    digest: Digest,
    signal?: AbortSignal,
  ) {
    await this.#change(access, subject, { digest, entry: undefined, signal });
  }

  async #change(access: Access, subject: Repository & { readonly digest: Digest }, change: Change): Promise<void> {
    const { digest: about, registry, repository } = subject;
    const tag: Reference = { registry, repository, tag: fallbackTag(about) };
    const key = `${registry}/${repository}:${tag.tag}`;
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.then(() => writeUntilKept(access, tag, change));
    const settled = turn.catch(() => {});
    this.#turns.set(key, settled);
    try {
      await turn;
    } finally {
      if (this.#turns.get(key) === settled) this.#turns.delete(key);
    }
  }
}

interface Change {
  readonly digest: Digest;
  /** Absent: it goes. */
  readonly entry: Descriptor | undefined;
  readonly signal: AbortSignal | undefined;
}

async function writeUntilKept(access: Access, tag: Reference, { digest, entry, signal }: Change): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await fetchIfThere(access, tag, signal);
    const index = found?.document.kind === 'index' ? found.document.index : undefined;
    const entries = index?.manifests ?? [];
    const isThere = entries.some((one) => one.digest === digest);
    if (isThere === (entry !== undefined)) return;
    const kept = entries.filter((one) => one.digest !== digest);
    const manifests = entry ? [...kept, entry] : kept;
    if (manifests.length === 0 && found) {
      const { registry, repository } = tag;
      await deleteDocument(access, { registry, repository, digest: found.digest }, signal);
      return;
    }
    const annotations = index?.annotations;
    const next = createIndex(manifests, { format: 'oci', ...(annotations ? { annotations } : {}) });
    const bytes = encodeIndex(next);
    await putDocument(access, tag, { bytes, mediaType: next.mediaType ?? '', ...(signal ? { signal } : {}) });
  }
  throw new BerthError(
    'conflict',
    `others keep changing ${tag.repository}:${tag.tag}, which lists what refers to an image`,
    {
      hint: 'try again',
    },
  );
}
