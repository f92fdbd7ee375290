import { BerthError } from '../errors/index.ts';
import {
  type Descriptor,
  type Digest,
  familiarName,
  formatPlatform,
  type Manifest,
  type Platform,
  type Reference,
} from '../oci/index.ts';
import { chooseManifest, isAttestation } from './documents/choose.ts';
import type { Document } from './documents/parse.ts';

/** An image in a registry, pinned: the tag may move from now on. */
export interface ResolvedImage {
  readonly reference: Reference;
  /** Of what the name points at: an index, or the manifest itself. */
  readonly digest: Digest;
  readonly manifestDigest: Digest;
  readonly manifestBytes: Uint8Array;
  readonly mediaType: string;
  readonly manifest: Manifest;
}

/** A document with its exact bytes. */
export interface FetchedDocument {
  readonly document: Document;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** Indexes in indexes. */
export const MAX_DEPTH = 4;

/**
 * Follows an index, and indexes in it, to the manifest for a platform.
 * @throws BerthError `not-found` naming the platforms that there are, `invalid` for indexes nested too deep
 */
export async function resolveImage(
  reference: Reference,
  platform: Platform,
  fetch: (reference: Reference) => Promise<FetchedDocument>,
): Promise<ResolvedImage> {
  const top = await fetch(reference);
  let current = top;
  for (let depth = 0; current.document.kind === 'index'; depth += 1) {
    // Digests cannot form a circle, but a registry that does not check them could send for ever.
    if (depth === MAX_DEPTH) {
      throw new BerthError('invalid', `${familiarName(reference)}: its indexes are nested more than ${MAX_DEPTH} deep`);
    }
    const { manifests } = current.document.index;
    const entry = chooseManifest(manifests, platform) ?? soleIndex(manifests);
    if (entry === undefined) throw noneFor(platform, manifests, reference);
    const { registry, repository } = reference;
    current = await fetch({ registry, repository, digest: entry.digest });
  }
  const { document, digest, bytes } = current;
  const { manifest, mediaType } = document;
  return { reference, digest: top.digest, manifestDigest: digest, manifestBytes: bytes, mediaType, manifest };
}

/** An inner index has no platform of its own. */
function soleIndex(entries: readonly Descriptor[]): Descriptor | undefined {
  const indexes = entries.filter(({ mediaType, platform }) => !platform && /index\.v1|manifest\.list/.test(mediaType));
  return indexes.length === 1 ? indexes[0] : undefined;
}

function noneFor(platform: Platform, entries: readonly Descriptor[], reference: Reference): BerthError {
  const offered = entries
    .filter((entry) => entry.platform && !isAttestation(entry))
    .map((entry) => formatPlatform(entry.platform as Platform));
  return new BerthError(
    'not-found',
    `no matching manifest for ${formatPlatform(platform)} in the manifest list entries of ${familiarName(reference)}`,
    offered.length === 0 ? {} : { hint: `there is ${[...new Set(offered)].slice(0, 20).join(', ')}` },
  );
}
