import { BerthError } from '../../../errors/index.ts';
import { type DiffId, type Digest, hexOf, isDigest, sha256 } from '../../../oci/index.ts';
import { invalid, quoted } from './parts.ts';

/** An image as an archive describes it, checked: its layers fit its config. */
export interface ImagePlan {
  readonly configBytes: Uint8Array;
  /** Canonical names. */
  readonly names: readonly string[];
  readonly layers: readonly LayerPlan[];
}

export interface LayerPlan {
  /** Where its tar lies in the archive; it may be compressed. */
  readonly path: string;
  readonly diffId: DiffId;
  /** Digest of the bytes at `path`, where the archive tells it. */
  readonly digest?: Digest;
}

const MAX_LAYERS = 1000;

/** Puts a config and the places of its layers together. @throws BerthError `invalid`, `unsupported` */
export function planImage(
  configBytes: Uint8Array,
  names: readonly string[],
  places: readonly { readonly path: string; readonly digest?: Digest }[],
): ImagePlan {
  const diffIds = diffIdsOf(configBytes);
  if (diffIds.length !== places.length) {
    throw invalid(`layers length mismatch: the config has ${diffIds.length}, the manifest ${places.length}`);
  }
  if (places.length > MAX_LAYERS) throw invalid(`an image has more than ${MAX_LAYERS} layers`);
  const layers = places.map((place, index) => ({ ...place, diffId: diffIds[index] as DiffId }));
  return { configBytes, names, layers };
}

/** @throws BerthError `invalid` when the bytes are not those that the digest names */
export function checkDigest(bytes: Uint8Array, digest: Digest, path: string): void {
  const found = sha256(bytes);
  if (digest.startsWith('sha256:') && found !== digest) {
    throw invalid(`${quoted(path)} does not match its digest: expected ${digest}, found ${found}`);
  }
}

/** The digest that a path in the archive claims: `blobs/sha256/<hex>`, or a config as `<hex>.json`. */
export function claimedDigest(path: string): Digest | undefined {
  const blob = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(path);
  const text = blob ? `${blob[1]}:${blob[2]}` : `sha256:${/^([0-9a-f]{64})\.json$/.exec(path)?.[1]}`;
  return isDigest(text) ? text : undefined;
}

export function blobPath(digest: Digest): string {
  return `blobs/${digest.slice(0, digest.indexOf(':'))}/${hexOf(digest)}`;
}

function diffIdsOf(configBytes: Uint8Array): readonly DiffId[] {
  let config: unknown;
  try {
    config = JSON.parse(Buffer.from(configBytes).toString('utf8'));
  } catch (cause) {
    throw invalid('an image config is not JSON', cause);
  }
  if (!isRecord(config)) throw invalid('an image config is not an object');
  const { os, rootfs } = config;
  if (typeof os === 'string' && os !== '' && os !== 'linux') {
    throw new BerthError('unsupported', `cannot load ${JSON.stringify(os.slice(0, 40))} image on linux`);
  }
  const diffIds = isRecord(rootfs) ? (rootfs['diff_ids'] ?? []) : undefined;
  if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === 'string' && isDigest(id))) {
    throw invalid('an image config has no proper list of diff_ids');
  }
  return diffIds as DiffId[];
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
