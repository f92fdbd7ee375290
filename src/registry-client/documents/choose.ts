import type { Descriptor, Platform } from '../../oci/index.ts';

/** Variants that run where the key's does, best first. */
const ARM_VARIANTS = ['v8', 'v7', 'v6', 'v5'];
const AMD64_VARIANTS = ['v4', 'v3', 'v2', 'v1'];

/**
 * The entry of an index that suits a platform best: the same variant before lesser ones. Attestations and entries
 * without a platform are not images for anybody, except that a sole entry without platform is taken as it is.
 */
export function chooseManifest(entries: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const images = entries.filter((entry) => !isAttestation(entry));
  const ranked = images
    .map((entry, order) => ({ entry, order, rank: entry.platform ? rankOf(entry.platform, wanted) : undefined }))
    .filter((candidate): candidate is typeof candidate & { rank: number } => candidate.rank !== undefined)
    .sort((a, b) => a.rank - b.rank || a.order - b.order);
  if (ranked[0]) return ranked[0].entry;
  return images.length === 1 && images[0]?.platform === undefined ? images[0] : undefined;
}

/** BuildKit keeps provenance and SBOMs beside the images. */
export function isAttestation({ platform, annotations }: Descriptor): boolean {
  return (
    annotations?.['vnd.docker.reference.type'] !== undefined ||
    (platform?.os === 'unknown' && platform.architecture === 'unknown')
  );
}

/** True when an image for `offered` runs on `wanted`. */
export function suits(offered: Platform, wanted: Platform): boolean {
  return rankOf(offered, wanted) !== undefined;
}

function rankOf(offered: Platform, wanted: Platform): number | undefined {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return undefined;
  const [have, want] = [variantOf(offered), variantOf(wanted)];
  if (have === want) return 0;
  const order = { arm: ARM_VARIANTS, amd64: AMD64_VARIANTS }[wanted.architecture];
  const from = order?.indexOf(want) ?? -1;
  const at = order?.indexOf(have) ?? -1;
  return from < 0 || at < from ? undefined : at - from;
}

/** @see containerd platforms, "normalization" */
function variantOf({ architecture, variant }: Platform): string {
  if (variant !== undefined && variant !== '') return variant;
  return { arm: 'v7', arm64: 'v8', amd64: 'v1' }[architecture] ?? '';
}
