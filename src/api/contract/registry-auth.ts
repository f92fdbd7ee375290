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
  return fieldsOf(decoded(header, 'X-Registry-Auth'), 'X-Registry-Auth header');
}

/** Body of `POST /auth`. @throws BerthError `invalid`, without what was sent */
export function decodeRegistryAuth(value: unknown): RegistryAuth {
  return fieldsOf(value ?? {}, 'body') ?? {};
}

/**
 * Reads the `X-Registry-Config` header of builds: credentials by registry, as the user names it.
 * @throws BerthError `invalid`, without what was sent
 */
export function parseRegistryConfigHeader(header: string | undefined): ReadonlyMap<string, RegistryAuth> {
  if (!header) return new Map();
  const value = decoded(header, 'X-Registry-Config');
  if (typeof value !== 'object' || value === null) {
    throw new BerthError('invalid', 'invalid X-Registry-Config header: not an object');
  }
  const auths = Object.entries(value).map(
    ([name, auth]) => [name, fieldsOf(auth, 'X-Registry-Config header')] as const,
  );
  return new Map(auths.filter((entry): entry is readonly [string, RegistryAuth] => entry[1] !== undefined));
}

function decoded(header: string, name: string): unknown {
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch {
    throw new BerthError('invalid', `invalid ${name} header: not base64 of JSON`);
  }
}

function fieldsOf(value: unknown, what: string): RegistryAuth | undefined {
  if (typeof value !== 'object' || value === null) throw new BerthError('invalid', `invalid ${what}: not an object`);
  const fields = ['username', 'password', 'serveraddress', 'identitytoken', 'registrytoken'];
  const known = Object.entries(value).filter(
    ([key, text]) => fields.includes(key) && typeof text === 'string' && text !== '',
  );
  return known.length === 0 ? undefined : Object.fromEntries(known);
}

/** Base64 of JSON, for either header. */
export function encodeRegistryAuth(auth: RegistryAuth | Readonly<Record<string, RegistryAuth>>): string {
  return Buffer.from(JSON.stringify(auth), 'utf8').toString('base64url');
}
