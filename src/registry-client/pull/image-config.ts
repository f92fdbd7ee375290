import { BerthError } from '../../errors/index.ts';
import { type DiffId, familiarName, isDigest, mediaTypes, type Platform } from '../../oci/index.ts';
import type { ResolvedImage } from '../resolve.ts';

/** Largest image config that is read. */
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

const CONFIG_TYPES: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig];

/** What a pull has to know of a config. */
export interface PulledConfig {
  readonly diffIds: readonly DiffId[];
  readonly platform: Platform;
}

/**
 * Refuses what is no image, before anything of it is fetched.
 * @throws BerthError `unsupported`, `invalid`
 */
export function checkConfigDescriptor({ manifest, reference }: ResolvedImage): void {
  const { mediaType, size } = manifest.config;
  if (!CONFIG_TYPES.includes(mediaType)) {
    throw new BerthError('unsupported', `${familiarName(reference)} is not an image, but an artifact: ${mediaType}`, {
      hint: 'fetch it with the tool that it was made for',
    });
  }
  if (size > MAX_CONFIG_BYTES) {
    throw new BerthError(
      'invalid',
      `the config of ${familiarName(reference)} is larger than ${MAX_CONFIG_BYTES} bytes`,
    );
  }
}

/** @throws BerthError `invalid` for a config that does not belong to its manifest */
export function parsePulledConfig(bytes: Uint8Array, { manifest, reference }: ResolvedImage): PulledConfig {
  const fail = (why: string): never => {
    throw new BerthError('invalid', `the config of ${familiarName(reference)} is refused: ${why}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    fail('it is not JSON');
  }
  const { rootfs, os, architecture, variant } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const diffIds = ((rootfs ?? {}) as { diff_ids?: unknown }).diff_ids ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === 'string' && isDigest(id))) {
    return fail('its diff_ids are not digests');
  }
  if (diffIds.length !== manifest.layers.length) {
    fail(`it has ${diffIds.length} layers, the manifest ${manifest.layers.length}`);
  }
  return {
    diffIds,
    platform: {
      os: typeof os === 'string' && os !== '' ? os : 'linux',
      architecture: typeof architecture === 'string' ? architecture : '',
      ...(typeof variant === 'string' && variant !== '' ? { variant } : {}),
    },
  };
}
