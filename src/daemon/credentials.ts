import type { RegistryAuth } from '../api/contract/index.ts';
import type { Credentials, Keychain } from '../registry-client/index.ts';

/** Credentials that came with a request are for the registry that it names, and for no mirror of it. */
export function keychainOf(auth: RegistryAuth | undefined, registry: string): Keychain | undefined {
  const credentials = auth && credentialsOf(auth);
  return credentials && { find: async (asked) => (asked === registry ? credentials : undefined) };
}

function credentialsOf({ username, password, identitytoken, registrytoken }: RegistryAuth): Credentials | undefined {
  if (registrytoken) return { kind: 'bearer', token: registrytoken };
  if (identitytoken) return { kind: 'identity', token: identitytoken };
  return username && password !== undefined ? { kind: 'password', username, password } : undefined;
}
