import { createHash } from 'node:crypto';
import { BerthError, isBerthError } from '../../errors/index.ts';
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  familiarName,
  familiarRepository,
  isDigest,
  type Reference,
} from '../../oci/index.ts';
import type { HttpResponse } from '../http/transport.ts';
import { type Access, callAnywhere } from '../repository.ts';
import type { FetchedDocument } from '../resolve.ts';
import { ACCEPTED, MAX_MANIFEST_BYTES, parseDocument } from './parse.ts';

const ACCEPT = { Accept: ACCEPTED.join(', ') };

/**
 * Gets the document under a tag or digest, checked against the digest.
 * @throws BerthError `not-found`, `invalid`, `unsupported`, `unavailable`
 */
export async function fetchDocument(
  access: Access,
  reference: Reference,
  signal?: AbortSignal,
): Promise<FetchedDocument> {
  const name = familiarName(reference);
  const request = {
    method: 'GET',
    path: `manifests/${targetOf(reference)}`,
    headers: ACCEPT,
    actions: 'pull',
    doing: `pulling ${name}`,
    signal,
  } as const;
  try {
    return await callAnywhere(access, reference, request, async (response) => {
      const bytes = await response.read(MAX_MANIFEST_BYTES, `the manifest of ${name}`);
      const digest = checkedDigest(bytes, response, reference);
      return { bytes, digest, document: parseDocument(bytes, response.header('content-type'), name) };
    });
  } catch (error) {
    throw inDockersWords(error, reference);
  }
}

/** What is under a tag or digest, without its content; undefined when nothing is. */
export async function headDocument(
  access: Access,
  reference: Reference,
  signal?: AbortSignal,
): Promise<Descriptor | undefined> {
  const request = {
    method: 'HEAD',
    path: `manifests/${targetOf(reference)}`,
    headers: ACCEPT,
    actions: 'pull',
    doing: `looking for ${familiarName(reference)}`,
    understood: [404],
    signal,
  } as const;
  const found = await callAnywhere(access, reference, request, (response) => {
    response.discard();
    const digest = response.header('docker-content-digest') ?? reference.digest ?? '';
    if (response.status === 404 || !isDigest(digest)) return response.status === 404 ? 'none' : 'silent';
    const size = Number(response.header('content-length') ?? 0);
    return { mediaType: response.header('content-type') ?? '', digest, size };
  });
  if (found === 'none') return undefined;
  if (found !== 'silent') return found;
  // A registry need not say the digest: then the content has to.
  const { document, digest, bytes } = await fetchDocument(access, reference, signal);
  return { mediaType: document.mediaType, digest, size: bytes.length };
}

export function targetOf({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest';
}

function checkedDigest(bytes: Uint8Array, response: HttpResponse, reference: Reference): Digest {
  const said = response.header('docker-content-digest');
  for (const expected of [reference.digest, said]) {
    if (expected === undefined || !isDigest(expected)) continue;
    const found = digestOf(bytes, algorithmOf(expected));
    if (found !== expected) {
      throw new BerthError(
        'invalid',
        `the manifest of ${familiarName(reference)} does not match its digest: expected ${expected}, found ${found}`,
      );
    }
  }
  if (reference.digest !== undefined) return reference.digest;
  return said !== undefined && isDigest(said) ? said : digestOf(bytes, 'sha256');
}

function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** Registries hide what one may not see; docker says both at once, and clients look for its words. */
function inDockersWords(error: unknown, reference: Reference): unknown {
  if (!isBerthError(error)) return error;
  if (error.kind === 'not-found') {
    return new BerthError('not-found', `manifest for ${familiarName(reference)} not found: manifest unknown`, {
      cause: error,
    });
  }
  if (error.kind !== 'unauthorized' && error.kind !== 'forbidden') return error;
  if (!error.message.startsWith('pulling ')) return error;
  return new BerthError(
    'not-found',
    `pull access denied for ${familiarRepository(reference)}, repository does not exist or may require a login: ${error.message}`,
    { hint: 'check the name, or log in to the registry', cause: error },
  );
}
