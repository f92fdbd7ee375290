import {
  canonicalName,
  type Digest,
  formatPlatform,
  isDigest,
  type Platform,
  parseReference,
  withDefaultTag,
} from '../../../oci/index.ts';
import { type ArchiveParts, invalid, MAX_CONFIG_BYTES, MAX_DOCUMENT_BYTES, quoted } from './parts.ts';
import { blobPath, checkDigest, type ImagePlan, isRecord, planImage } from './plan.ts';

const MAX_DEPTH = 4;
const MAX_MANIFESTS = 1000;

interface ManifestDescriptor {
  readonly digest: Digest;
  readonly platform?: Platform;
  readonly annotations: Readonly<Record<string, unknown>>;
}

/**
 * Reads `index.json` and what it leads to. Entries of one image under several names become one image; of a nested index
 * the manifest for `platform` is taken.
 * @see image-spec image-layout.md
 */
export async function planOciLayout(parts: ArchiveParts, platform: Platform): Promise<readonly ImagePlan[]> {
  const images = new Map<Digest, { names: Set<string>; manifest: Record<string, unknown> }>();
  for (const entry of descriptorsOf(await parts.readJson('index.json'), 'index.json')) {
    const found = await imageManifest(parts, entry, { platform, depth: 0 });
    const image = images.get(found.digest) ?? { names: new Set(), manifest: found.manifest };
    const name = nameOf(entry.annotations);
    if (name !== undefined) image.names.add(name);
    images.set(found.digest, image);
  }
  const plans: ImagePlan[] = [];
  for (const { names, manifest } of images.values()) plans.push(await planManifest(parts, manifest, [...names]));
  return plans;
}

async function imageManifest(
  parts: ArchiveParts,
  { digest }: ManifestDescriptor,
  at: { readonly platform: Platform; readonly depth: number },
): Promise<{ digest: Digest; manifest: Record<string, unknown> }> {
  const document = await readBlobJson(parts, digest);
  const isIndex = document['manifests'] !== undefined;
  if (isIndex && (document['layers'] !== undefined || document['config'] !== undefined)) {
    throw invalid(`${digest} is both an index and a manifest`);
  }
  if (!isIndex) return { digest, manifest: document };
  if (at.depth >= MAX_DEPTH) throw invalid(`indexes are nested more than ${MAX_DEPTH} deep`);
  const wanted = descriptorsOf(document, digest).find(({ platform }) => fits(platform, at.platform));
  if (wanted === undefined) throw invalid(`${digest} has no image for ${formatPlatform(at.platform)}`);
  return imageManifest(parts, wanted, { ...at, depth: at.depth + 1 });
}

async function planManifest(parts: ArchiveParts, manifest: Record<string, unknown>, names: readonly string[]) {
  const config = descriptor(manifest['config'], 'config');
  const layers = manifest['layers'] ?? [];
  if (!Array.isArray(layers)) throw invalid('layers of a manifest are not a list');
  const path = blobPath(config.digest);
  const configBytes = await parts.readSmall(path, MAX_CONFIG_BYTES);
  checkDigest(configBytes, config.digest, path);
  const places = layers.map((layer) => {
    const { digest } = descriptor(layer, 'layer');
    return { path: blobPath(digest), digest };
  });
  return planImage(configBytes, names, places);
}

async function readBlobJson(parts: ArchiveParts, digest: Digest): Promise<Record<string, unknown>> {
  const path = blobPath(digest);
  const bytes = await parts.readSmall(path, MAX_DOCUMENT_BYTES);
  checkDigest(bytes, digest, path);
  const value: unknown = await parts.readJson(path);
  if (!isRecord(value)) throw invalid(`${quoted(path)} is not a manifest`);
  return value;
}

function descriptorsOf(index: unknown, where: string): readonly ManifestDescriptor[] {
  const manifests = isRecord(index) ? index['manifests'] : undefined;
  if (!Array.isArray(manifests)) throw invalid(`${where} has no list of manifests`);
  if (manifests.length > MAX_MANIFESTS) throw invalid(`${where} has more than ${MAX_MANIFESTS} manifests`);
  return manifests.map((item) => descriptor(item, 'manifest'));
}

function descriptor(value: unknown, what: string): ManifestDescriptor {
  const digest = isRecord(value) ? value['digest'] : undefined;
  if (!isRecord(value) || typeof digest !== 'string' || !isDigest(digest)) {
    throw invalid(`the descriptor of a ${what} has no digest`);
  }
  const { annotations, platform } = value;
  return {
    digest,
    ...(isRecord(platform) ? { platform: platform as unknown as Platform } : {}),
    annotations: isRecord(annotations) ? annotations : {},
  };
}

/** An entry without a platform is taken as it is; attestations stand as `unknown/unknown`. */
function fits(offered: Platform | undefined, wanted: Platform): boolean {
  if (offered === undefined) return true;
  return (
    offered.os === wanted.os &&
    offered.architecture === wanted.architecture &&
    (offered.variant === undefined || wanted.variant === undefined || offered.variant === wanted.variant)
  );
}

/** A `ref.name` that is only a tag, as umoci and containerd write it, does not tell of which repository. */
function nameOf(annotations: Readonly<Record<string, unknown>>): string | undefined {
  const full = annotations['io.containerd.image.name'];
  const ref = annotations['org.opencontainers.image.ref.name'];
  const text = typeof full === 'string' ? full : typeof ref === 'string' && /[/:]/.test(ref) ? ref : undefined;
  if (text === undefined) return undefined;
  const reference = parseReference(text);
  return reference.digest === undefined ? canonicalName(withDefaultTag(reference)) : undefined;
}
