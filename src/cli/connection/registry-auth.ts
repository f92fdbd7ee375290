import { join } from 'node:path';
import { encodeRegistryAuth, type RegistryAuth } from '../../api/contract/index.ts';

/**
 * The header that tells the engine who the user is at a registry, from docker's own `config.json`; none when nobody
 * logged in there.
 * @throws BerthError `invalid` or `unavailable` for a config file or a credential helper that does not work
 */
export async function registryAuthHeader(
  registry: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, string>>> {
  const folder = env['DOCKER_CONFIG'] || join(env['HOME'] || '/root', '.docker');
  // Loaded on demand: most commands never talk about registries.
  const { createKeychain } = await import('../../registry-client/index.ts');
  const credentials = await createKeychain({ file: join(folder, 'config.json'), env }).find(registry);
  if (credentials === undefined) return {};
  const auth: RegistryAuth =
    credentials.kind === 'password'
      ? { username: credentials.username, password: credentials.password }
      : { [credentials.kind === 'identity' ? 'identitytoken' : 'registrytoken']: credentials.token };
  return { 'X-Registry-Auth': encodeRegistryAuth({ ...auth, serveraddress: registry }) };
}
