import { BerthError } from '../../errors/index.ts';
import { type Descriptor, type Index, isDigest, type Manifest, mediaTypes, type Platform } from '../../oci/index.ts';

/** What a registry gives under a tag or a digest, checked. */
export type Document =
  | { readonly kind: 'manifest'; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly mediaType: string; readonly index: Index };

/** Largest manifest or index that is read. @see distribution-spec, "Pushing Manifests" */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** What we ask for, best first. */
export const ACCEPTED = [
  mediaTypes.ociIndex,
  mediaTypes.dockerList,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
] as const;

const KINDS: Readonly<Record<string, Document['kind']>> = {
  [mediaTypes.ociIndex]: 'index',
  [mediaTypes.dockerList]: 'index',
  [mediaTypes.ociManifest]: 'manifest',
  [mediaTypes.dockerManifest]: 'manifest',
};

/**
 * Reads a manifest or an index. A document that could be both, or that is called what it is not, is refused: another
 * client might see another image in it.
 * @param contentType what the answer's header says
 * @throws BerthError `invalid`, `unsupported` for schema 1
 * @see CVE-2021-41190
 */
export function parseDocument(bytes: Uint8Array, contentType: string | undefined, name: string): Document {
  const fail = (why: string): never => {
    throw new BerthError('invalid', `the manifest of ${name} is refused: ${why}`);
  };
  if (bytes.length > MAX_MANIFEST_BYTES) fail(`it is larger than ${MAX_MANIFEST_BYTES} bytes`);
  const value = parseJson(bytes);
  if (!isRecord(value)) return fail('it is not a JSON object');
  const headerType = contentType?.split(';')[0]?.trim().toLowerCase();
  if (value['schemaVersion'] === 1 || headerType?.includes('docker.distribution.manifest.v1+')) {
    throw new BerthError('unsupported', `${name} has a manifest of schema 1, a form that was retired in 2017`, {
      hint: 'ask its owner to push it again with a current tool',
    });
  }
  if (value['schemaVersion'] !== 2) fail('its schemaVersion is not 2');
  const said = value['mediaType'];
  if (said !== undefined && typeof said !== 'string') fail('its mediaType is not a text');
  const hasManifests = value['manifests'] !== undefined;
  const hasLayers = value['layers'] !== undefined || value['config'] !== undefined;
  if (hasManifests && hasLayers) fail('it is an index and a manifest in one');
  const shape = hasManifests ? 'index' : 'manifest';
  for (const type of [said as string | undefined, headerType]) {
    const kind = type === undefined ? undefined : KINDS[type];
    if (kind !== undefined && kind !== shape) fail(`it is called ${type}, but it is not`);
  }
  if (
    said !== undefined &&
    headerType !== undefined &&
    KINDS[headerType] &&
    KINDS[said as string] &&
    said !== headerType
  ) {
    fail(`it is called ${said}, but was sent as ${headerType}`);
  }
  const mediaType = (said as string | undefined) ?? (headerType && KINDS[headerType] ? headerType : defaultType(shape));
  const subject = value['subject'] ? { subject: descriptor(value['subject'], 'subject', fail) } : {};
  if (shape === 'index') {
    const manifests = descriptors(value['manifests'], 'manifests', fail);
    return { kind: 'index', mediaType, index: { ...value, schemaVersion: 2, manifests, ...subject } };
  }
  const config = descriptor(value['config'], 'config', fail);
  const layers = descriptors(value['layers'], 'layers', fail);
  return { kind: 'manifest', mediaType, manifest: { ...value, schemaVersion: 2, config, layers, ...subject } };
}

function defaultType(kind: Document['kind']): string {
  return kind === 'index' ? mediaTypes.ociIndex : mediaTypes.ociManifest;
}

type Fail = (why: string) => never;

function descriptors(value: unknown, at: string, fail: Fail): readonly Descriptor[] {
  if (!Array.isArray(value)) return fail(`${at} is not a list`);
  return value.map((item, place) => descriptor(item, `${at}[${place}]`, fail));
}

function descriptor(value: unknown, at: string, fail: Fail): Descriptor {
  if (!isRecord(value)) return fail(`${at} is not a descriptor`);
  const { mediaType, digest, size, platform, annotations, urls, artifactType } = value;
  if (typeof digest !== 'string' || !isDigest(digest)) return fail(`${at} has no digest that can be checked`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return fail(`${at} has no size`);
  if (typeof mediaType !== 'string') return fail(`${at} has no mediaType`);
  return {
    mediaType,
    digest,
    size,
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    ...(isRecord(platform) ? { platform: platformOf(platform) } : {}),
    ...(isRecord(annotations) ? { annotations: textsOf(annotations) } : {}),
    ...(Array.isArray(urls) ? { urls: urls.filter((url) => typeof url === 'string') } : {}),
  };
}

function platformOf(value: Readonly<Record<string, unknown>>): Platform {
  const { os, architecture, variant, 'os.version': version, 'os.features': features } = value;
  return {
    architecture: typeof architecture === 'string' ? architecture : '',
    os: typeof os === 'string' ? os : '',
    ...(typeof version === 'string' && version !== '' ? { 'os.version': version } : {}),
    ...(Array.isArray(features) ? { 'os.features': features.filter((one) => typeof one === 'string') } : {}),
    ...(typeof variant === 'string' && variant !== '' ? { variant } : {}),
  };
}

function textsOf(value: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Undefined for what is no JSON, also when it is nested deeper than the parser can go. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
