import { BerthError } from '../errors/index.ts';

/** @see image-spec image-index.md, "platform" */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
}

const ARCHITECTURES: Readonly<Record<string, readonly [string, string?]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  x64: ['amd64'],
  i386: ['386'],
  i686: ['386'],
  ia32: ['386'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};

/** The platform of this process, in the names that OCI uses. */
export function hostPlatform(arch: string): Platform {
  const [architecture, variant] = ARCHITECTURES[arch] ?? [arch];
  return { os: 'linux', architecture, ...(variant ? { variant } : {}) };
}

/** Reads `os/arch[/variant]`, `arch` or `os`. @throws BerthError `invalid` */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new BerthError('invalid', `not a platform: ${JSON.stringify(text)}`, {
      hint: 'write os/arch, as linux/amd64',
    });
  }
  const [os, arch, variant] = parts.length === 1 ? (['linux', parts[0]] as const) : parts;
  const [architecture, known] = ARCHITECTURES[arch ?? ''] ?? [arch ?? ''];
  const finalVariant = variant ?? known;
  return { os: os ?? 'linux', architecture, ...(finalVariant ? { variant: finalVariant } : {}) };
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}
