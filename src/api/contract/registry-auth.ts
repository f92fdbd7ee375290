import { BerthError } from '../../errors/index.ts';

/** Content of the `X-Registry-Auth` header. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly serveraddress?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/**
 * Reads the header: base64 of JSON, in either alphabet, padding optional. None or `{}` means anonymous.
 * @throws BerthError `invalid`; the text never repeats the header, which may hold a password
 */
export function parseRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  if (!header) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch {
    throw new BerthError('invalid', 'invalid X-Registry-Auth header: not base64 of JSON');
  }
  if (typeof value !== 'object' || value === null)
    throw new BerthError('invalid', 'invalid X-Registry-Auth header: not an object');
  const fields = ['username', 'password', 'serveraddress', 'identitytoken', 'registrytoken'];
  const known = Object.entries(value).filter(
    ([key, text]) => fields.includes(key) && typeof text === 'string' && text !== '',
  );
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

export function encodeRegistryAuth(auth: RegistryAuth): string {
  return Buffer.from(JSON.stringify(auth), 'utf8').toString('base64url');
}
