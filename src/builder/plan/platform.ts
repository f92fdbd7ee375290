import { formatPlatform, type Platform } from '../../oci/index.ts';

/**
 * The ARGs that every Dockerfile has before its first FROM. A stage redeclares the ones that it wants.
 * @see facts: Docker reference, "Automatic platform ARGs in the global scope"
 */
export function platformArgs(build: Platform, target: Platform, targetStage: string | undefined): Map<string, string> {
  return new Map([
    ...describe('BUILD', build),
    ...describe('TARGET', target),
    ['TARGETSTAGE', targetStage ?? 'default'],
  ]);
}

function describe(prefix: string, platform: Platform): [string, string][] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform['os.version'] ?? ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
}
