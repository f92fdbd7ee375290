import { canonicalName, parseReference } from '../../../oci/index.ts';
import { type ArchiveParts, invalid, MAX_CONFIG_BYTES } from './parts.ts';
import { innerPath } from './paths.ts';
import { checkDigest, claimedDigest, type ImagePlan, isRecord, planImage } from './plan.ts';

const MAX_IMAGES = 1000;

/** One image of a docker-archive's manifest. */
export interface DockerItem {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

/**
 * Reads the configs that a manifest names and plans its images.
 * @returns undefined while a config has not come yet
 */
export async function planDockerArchive(
  parts: ArchiveParts,
  items: readonly DockerItem[],
): Promise<readonly ImagePlan[] | undefined> {
  if (items.some(({ config }) => parts.find(config) === undefined)) return undefined;
  return Promise.all(items.map((item) => planItem(parts, item)));
}

async function planItem(parts: ArchiveParts, { config, names, layers }: DockerItem): Promise<ImagePlan> {
  const configBytes = await parts.readSmall(config, MAX_CONFIG_BYTES);
  const claimed = claimedDigest(config);
  if (claimed !== undefined) checkDigest(configBytes, claimed, config);
  const places = layers.map((path) => {
    const digest = claimedDigest(path);
    return digest === undefined ? { path } : { path, digest };
  });
  return planImage(configBytes, names, places);
}

/**
 * Reads `manifest.json`.
 * @throws BerthError `invalid`
 * @see moby image/spec, "Combined Image JSON + Filesystem Changeset Format"
 */
export async function readDockerManifest(parts: ArchiveParts): Promise<readonly DockerItem[]> {
  const value = await parts.readJson('manifest.json');
  if (!Array.isArray(value)) throw invalid('manifest.json is not a list');
  if (value.length > MAX_IMAGES) throw invalid(`manifest.json has more than ${MAX_IMAGES} images`);
  return value.map((item) => {
    if (!isRecord(item) || typeof item['Config'] !== 'string')
      throw invalid('manifest.json has an item without Config');
    return {
      config: innerPath(item['Config']),
      names: strings(item['RepoTags'], 'RepoTags').map(taggedName),
      layers: strings(item['Layers'], 'Layers').map(innerPath),
    };
  });
}

function strings(value: unknown, field: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw invalid(`${field} in manifest.json is not a list of strings`);
  }
  return value;
}

function taggedName(text: string): string {
  const reference = parseReference(text);
  if (reference.tag === undefined || reference.digest !== undefined) {
    throw invalid(`RepoTags in manifest.json has a name without tag: ${JSON.stringify(text.slice(0, 200))}`);
  }
  return canonicalName(reference);
}
