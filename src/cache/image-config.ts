import { BerthError } from '../errors/index.ts';
import { type ImageConfig, isDigest } from '../oci/index.ts';

/** Largest config document that is accepted. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/**
 * Reads a config document. Go programs write `null` for what is empty: such fields are left out here.
 * @throws BerthError `invalid`
 * @see image-spec config.md
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const fail = (why: string, cause?: unknown): never => {
    throw new BerthError('invalid', `not an image config: ${why}`, cause === undefined ? {} : { cause });
  };
  if (bytes.length > MAX_CONFIG_BYTES) fail(`it is larger than ${MAX_CONFIG_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'), dropNull);
  } catch (cause) {
    fail('it is not JSON', cause);
  }
  if (!isRecord(value) || !isRecord(value['rootfs'])) return fail('it has no rootfs');
  const diffIds = value['rootfs']['diff_ids'] ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every((id) => typeof id === 'string' && isDigest(id))) {
    return fail('its diff_ids are not digests');
  }
  for (const [field, test] of Object.entries(SHAPES)) {
    const item = value[field];
    if (item !== undefined && !test(item)) fail(`${field} has the wrong type`);
  }
  return {
    ...value,
    architecture: typeof value['architecture'] === 'string' ? value['architecture'] : '',
    os: typeof value['os'] === 'string' ? value['os'] : 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds },
  } as ImageConfig;
}

/** Within arrays null stays, so that the checks below see it. */
function dropNull(this: unknown, _key: string, item: unknown): unknown {
  return item === null && !Array.isArray(this) ? undefined : item;
}

const isString = (value: unknown) => typeof value === 'string';
const isStrings = (value: unknown) => Array.isArray(value) && value.every(isString);
const isSet = (value: unknown) => isRecord(value);
const isStringMap = (value: unknown) => isRecord(value) && Object.values(value).every(isString);

const CONFIG_SHAPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  User: isString,
  ExposedPorts: isSet,
  Env: isStrings,
  Entrypoint: isStrings,
  Cmd: isStrings,
  Volumes: isSet,
  WorkingDir: isString,
  Labels: isStringMap,
  StopSignal: isString,
  Shell: isStrings,
  Healthcheck: isRecord,
  OnBuild: isStrings,
};

const SHAPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  created: isString,
  author: isString,
  variant: isString,
  config: (value) =>
    isRecord(value) &&
    Object.entries(CONFIG_SHAPES).every(([field, test]) => value[field] === undefined || test(value[field])),
  history: (value) => Array.isArray(value) && value.every(isRecord),
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
