import { isBerthError } from '../errors/index.ts';
import { canonicalName, parseReference, withDefaultTag } from '../oci/index.ts';
import { type CheckFinding, checkDockerfile } from '../parser/index.ts';
import type { Dockerfile } from '../parser/ir.ts';
import type { BaseImage } from './ports.ts';
import type { BuildRequest } from './request.ts';

/**
 * The build checks of what the target is built from, with what a build knows of its base
 * images. Ignored files are left out: a build that needs one fails, and tells more.
 */
export function checkBuild(
  dockerfile: Dockerfile,
  { buildArgs, platform, target }: BuildRequest,
  images: ReadonlyMap<string, BaseImage | null>,
): readonly CheckFinding[] {
  return checkDockerfile(dockerfile, {
    buildArgs,
    platform,
    target: target ?? String(dockerfile.stages.length - 1),
    baseConfigs: (name) => imageNamed(name, images)?.config,
  }).findings;
}

function imageNamed(name: string, images: ReadonlyMap<string, BaseImage | null>): BaseImage | null | undefined {
  try {
    return images.get(canonicalName(withDefaultTag(parseReference(name))));
  } catch (error) {
    if (isBerthError(error)) return undefined;
    throw error;
  }
}
