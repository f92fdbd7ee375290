import {
  canonicalJson,
  type Descriptor,
  type Digest,
  familiarRepository,
  hexOf,
  type Index,
  type Manifest,
  mediaTypes,
  parseReference,
  sha256,
} from '../../../oci/index.ts';
import type { StoredImage } from '../../ports.ts';
import type { LayerInfo } from '../layers.ts';
import { shown } from '../names.ts';

/** An image to save, with the canonical names that it keeps. */
export interface SavedImage {
  readonly image: StoredImage;
  readonly names: readonly string[];
  readonly layers: readonly LayerInfo[];
}

interface SmallFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A saved archive but for the layers' bytes. */
export interface ArchiveLayout {
  /** What tells how the rest hangs together, first of all. */
  readonly heads: readonly SmallFile[];
  /** Manifests and configs: before the layers, as a reader that streams wants them. */
  readonly documents: readonly SmallFile[];
  /** Each layer once, under its blob path. */
  readonly layers: readonly { readonly path: string; readonly layer: LayerInfo }[];
}

/**
 * Lays out images as docker-archive and OCI layout at once, as Docker 25 and later do: both views name the same blobs.
 * Pure: equal images give equal bytes.
 * @see image-spec image-layout.md; moby image/tarexport/save.go
 */
export function archiveLayout(saved: readonly SavedImage[]): ArchiveLayout {
  const blobs = new Map<Digest, Uint8Array>();
  const layers = new Map<Digest, LayerInfo>();
  const descriptors: Descriptor[] = [];
  for (const { image, names, layers: own } of saved) {
    const manifest = Buffer.from(canonicalJson(ociManifest(image, own)));
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: sha256(manifest), size: manifest.length };
    blobs.set(image.id, image.configBytes);
    blobs.set(descriptor.digest, manifest);
    for (const layer of own) layers.set(layer.diffId, layer);
    descriptors.push(...named(descriptor, names));
  }
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: descriptors };
  const repositories = legacyNames(saved);
  const heads = [
    { path: 'manifest.json', bytes: Buffer.from(JSON.stringify(saved.map(dockerManifest))) },
    { path: 'index.json', bytes: Buffer.from(canonicalJson(index)) },
    { path: 'oci-layout', bytes: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
    ...(repositories === undefined ? [] : [{ path: 'repositories', bytes: Buffer.from(repositories) }]),
  ];
  const documents = [...blobs].map(([digest, bytes]) => ({ path: blobPath(digest), bytes }));
  return { heads, documents, layers: [...layers].map(([digest, layer]) => ({ path: blobPath(digest), layer })) };
}

function ociManifest(image: StoredImage, layers: readonly LayerInfo[]): Manifest {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: image.id, size: image.configBytes.length },
    layers: layers.map(layerDescriptor),
  };
}

function layerDescriptor({ diffId, tarBytes }: LayerInfo): Descriptor {
  return { mediaType: mediaTypes.ociLayer, digest: diffId, size: tarBytes };
}

/** One index entry per name, with the annotations by which containerd, BuildKit and skopeo find it. */
function named(descriptor: Descriptor, names: readonly string[]): readonly Descriptor[] {
  if (names.length === 0) return [descriptor];
  return names.map((name) => ({
    ...descriptor,
    annotations: {
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': parseReference(name).tag ?? '',
    },
  }));
}

function dockerManifest({ image, names, layers }: SavedImage): object {
  return {
    Config: blobPath(image.id),
    RepoTags: names.length === 0 ? null : names.map(shown),
    Layers: layers.map(({ diffId }) => blobPath(diffId)),
    LayerSources: Object.fromEntries(layers.map((layer) => [layer.diffId, layerDescriptor(layer)])),
  };
}

/** Names with the top layer of each: for readers from before `manifest.json`. None when no image has a name. */
function legacyNames(saved: readonly SavedImage[]): string | undefined {
  const tags = new Map<string, Record<string, string>>();
  for (const { names, layers } of saved) {
    const top = layers.at(-1);
    for (const name of top === undefined ? [] : names) {
      const { tag, ...repository } = parseReference(name);
      if (tag === undefined) continue;
      const key = familiarRepository(repository);
      tags.set(key, { ...tags.get(key), [tag]: hexOf(top!.diffId) });
    }
  }
  return tags.size === 0 ? undefined : `${JSON.stringify(Object.fromEntries(tags))}\n`;
}

function blobPath(digest: Digest): string {
  return `blobs/${digest.slice(0, digest.indexOf(':'))}/${hexOf(digest)}`;
}
