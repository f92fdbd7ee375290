import type { RegistryAuth } from '../api/contract/index.ts';
import { type Credentials, type Keychain, registryOf } from '../registry-client/index.ts';

/** Credentials that came with a request are for the registry that it names, and for no mirror of it. */
export function keychainOf(auth: RegistryAuth | undefined, registry: string): Keychain | undefined {
  const credentials = auth && credentialsOf(auth);
  return credentials && { find: async (asked) => (asked === registry ? credentials : undefined) };
}

/** What came with a build, by the names that users log in to: hosts, or URLs of old. */
export function authFor(auths: ReadonlyMap<string, RegistryAuth>, registry: string): RegistryAuth | undefined {
  return [...auths].find(([name]) => registryOf(name) === registry)?.[1];
}

/** Undefined when they are not complete. */
export function credentialsOf({
  username,
  password,
  identitytoken,
  registrytoken,
}: RegistryAuth): Credentials | undefined {
  if (registrytoken) return { kind: 'bearer', token: registrytoken };
  if (identitytoken) return { kind: 'identity', token: identitytoken };
  return username && password !== undefined ? { kind: 'password', username, password } : undefined;
}
