import { BerthError } from '../../errors/index.ts';

/** `major.minor`, as in `/v1.41/info`. */
export type ApiVersion = `${number}.${number}`;

export const MIN_API_VERSION: ApiVersion = '1.24';
export const API_VERSION: ApiVersion = '1.50';

/** Negative when `a` is older than `b`, 0 when equal. */
export function compareVersions(a: ApiVersion, b: ApiVersion): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}

export function atLeast(version: ApiVersion, minimum: ApiVersion): boolean {
  return compareVersions(version, minimum) >= 0;
}

export function isApiVersion(text: string): text is ApiVersion {
  return /^\d{1,4}\.\d{1,4}$/.test(text);
}

/**
 * Splits `/v1.41/info` into version and path. A path without version means the newest one that is served.
 * @throws BerthError `invalid` for a version outside of what is served, in the words that clients know
 */
export function splitVersion(path: string): { readonly version: ApiVersion; readonly path: string } {
  const match = /^\/v([0-9][0-9.]*)(\/.*)$/.exec(path);
  if (!match) return { version: API_VERSION, path };
  const version = match[1]!;
  if (!isApiVersion(version)) throw new BerthError('invalid', `invalid API version: ${version.slice(0, 40)}`);
  if (compareVersions(version, API_VERSION) > 0) {
    throw new BerthError(
      'invalid',
      `client version ${version} is too new. Maximum supported API version is ${API_VERSION}`,
      { hint: `set DOCKER_API_VERSION=${API_VERSION}` },
    );
  }
  if (compareVersions(version, MIN_API_VERSION) < 0) {
    throw new BerthError(
      'invalid',
      `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, ` +
        'please upgrade your client to a newer version',
    );
  }
  return { version, path: match[2]! };
}
