import { BerthError } from '../errors/index.ts';
import { type Descriptor, type Index, mediaTypes } from './image.ts';
import type { Platform } from './platform.ts';

/** The two forms of one thing: OCI's image index and Docker's manifest list. */
export type IndexFormat = 'oci' | 'docker';

/** What to change of an entry; what is absent stays as it is. */
export interface EntryChanges {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
  /** Added to those that are there. Only OCI's form has them. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The pairs that Go knows, which docker takes as the only ones that there are. @see docker/cli, manifest/util.go */
const PLATFORMS: Readonly<Record<string, string>> = {
  aix: 'ppc64',
  android: '386 amd64 arm arm64',
  darwin: '386 amd64 arm arm64',
  dragonfly: 'amd64',
  freebsd: '386 amd64 arm',
  illumos: 'amd64',
  ios: 'amd64 arm64',
  js: 'wasm',
  linux: '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x',
  netbsd: '386 amd64 arm',
  openbsd: '386 amd64 arm',
  plan9: '386 amd64',
  solaris: 'amd64',
  wasip1: 'wasm',
  windows: '386 amd64 arm arm64',
};

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList;
}

/** The form that suits manifests: Docker's, when all of them are Docker's. */
function indexFormatOf(entries: readonly Descriptor[]): IndexFormat {
  return entries.length > 0 && entries.every(({ mediaType }) => mediaType === mediaTypes.dockerManifest)
    ? 'docker'
    : 'oci';
}

/**
 * An index of manifests, in their order. The same manifest for the same platform counts once.
 * @throws BerthError `invalid` for annotations in Docker's form, which has none
 */
export function createIndex(
  entries: readonly Descriptor[],
  options: {
    readonly format?: IndexFormat;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly subject?: Descriptor;
  } = {},
): Index {
  const { format = indexFormatOf(entries), annotations = {}, subject } = options;
  const hasAnnotations = [annotations, ...entries.map((entry) => entry.annotations ?? {})].some(
    (all) => Object.keys(all).length > 0,
  );
  if (format === 'docker' && hasAnnotations) {
    throw new BerthError('invalid', "a manifest list in Docker's form cannot have annotations", {
      hint: 'make an OCI index, which can',
    });
  }
  const seen = new Set<string>();
  const manifests = entries.filter(({ digest, platform }) => {
    const key = `${digest} ${JSON.stringify(platform ?? null)}`;
    return !seen.has(key) && seen.add(key);
  });
  return {
    schemaVersion: 2,
    mediaType: format === 'docker' ? mediaTypes.dockerList : mediaTypes.ociIndex,
    manifests,
    ...(subject === undefined ? {} : { subject }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

/**
 * Says for which platform an entry is, and what else is to be known of it.
 * @throws BerthError `invalid` for a pair of system and architecture that does not exist
 */
export function annotateEntry(entry: Descriptor, changes: EntryChanges): Descriptor {
  const before: Platform = entry.platform ?? { os: '', architecture: '' };
  const { variant = before.variant, osVersion = before['os.version'], osFeatures = before['os.features'] } = changes;
  const platform: Platform = {
    architecture: changes.architecture ?? before.architecture,
    os: changes.os ?? before.os,
    ...(osVersion ? { 'os.version': osVersion } : {}),
    ...(osFeatures && osFeatures.length > 0 ? { 'os.features': osFeatures } : {}),
    ...(variant ? { variant } : {}),
  };
  if (!PLATFORMS[platform.os]?.split(' ').includes(platform.architecture)) {
    const pair = `${platform.os}/${platform.architecture}`;
    throw new BerthError('invalid', `manifest entry for image has unsupported os/arch combination: ${pair}`, {
      hint: 'write them as Go does, as linux and arm64',
    });
  }
  const annotations = { ...entry.annotations, ...changes.annotations };
  return { ...entry, platform, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
}

/**
 * The bytes of an index, as docker writes them: equal indexes have equal digests, whichever of the two tools made them.
 * @see docker distribution, manifestlist
 */
export function encodeIndex(index: Index): Uint8Array {
  const { mediaType, artifactType, manifests, subject, annotations } = index;
  const document = {
    schemaVersion: 2,
    mediaType,
    artifactType,
    manifests: manifests.map(encodedEntry),
    subject: subject && encodedEntry(subject),
    annotations,
  };
  return Buffer.from(JSON.stringify(document, null, 3));
}

function encodedEntry({ mediaType, size, digest, urls, annotations, platform, artifactType }: Descriptor): object {
  return { mediaType, size, digest, urls, annotations, artifactType, platform: platform && encodedPlatform(platform) };
}

function encodedPlatform(platform: Platform): object {
  const { architecture, os, variant } = platform;
  return { architecture, os, 'os.version': platform['os.version'], 'os.features': platform['os.features'], variant };
}
