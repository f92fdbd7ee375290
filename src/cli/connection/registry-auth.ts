import { encodeRegistryAuth, type RegistryAuth } from '../../api/contract/index.ts';
import { toBerthError } from '../../errors/index.ts';
import type { Credentials } from '../../registry-client/index.ts';
import { openCredentials } from './credentials.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The header that tells the engine who the user is at a registry, from docker's own `config.json`; none when nobody
 * logged in there.
 * @throws BerthError `invalid` or `unavailable` for a config file or a credential helper that does not work
 */
export async function registryAuthHeader(registry: string, env: Env): Promise<Readonly<Record<string, string>>> {
  const credentials = await (await openCredentials({ env, now: Date.now })).find(registry);
  if (credentials === undefined) return {};
  return { 'X-Registry-Auth': encodeRegistryAuth(authOf(credentials, registry)) };
}

/**
 * The header that lends a build who the user is at the registries that it may need: those and no others. What cannot be
 * read is left out with a warning: the images may be there already.
 */
export async function registryConfigHeader(
  registries: ReadonlySet<string> | 'all',
  env: Env,
  warn: (text: string) => void,
): Promise<Readonly<Record<string, string>>> {
  const store = await openCredentials({ env, now: Date.now });
  const tried = async <T>(work: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      warn(`no login is used: ${toBerthError(error).message}`);
      return otherwise;
    }
  };
  const wanted = registries === 'all' ? await tried(store.list(), []) : [...registries];
  const found = await Promise.all(
    wanted.map(async (registry) => {
      const credentials = await tried(store.find(registry), undefined);
      return credentials === undefined ? [] : [[serverName(registry), authOf(credentials, registry)] as const];
    }),
  );
  const auths = Object.fromEntries(found.flat());
  return Object.keys(auths).length === 0 ? {} : { 'X-Registry-Config': encodeRegistryAuth(auths) };
}

/** Other engines know Docker Hub by this name only. */
function serverName(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

function authOf(credentials: Credentials, registry: string): RegistryAuth {
  const auth: RegistryAuth =
    credentials.kind === 'password'
      ? { username: credentials.username, password: credentials.password }
      : { [credentials.kind === 'identity' ? 'identitytoken' : 'registrytoken']: credentials.token };
  return { ...auth, serveraddress: registry };
}
