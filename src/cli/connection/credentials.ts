import { join } from 'node:path';
import { parseRegistry } from '../../oci/index.ts';
import type { CredentialStore } from '../../registry-client/index.ts';
import type { CliEnvironment } from '../environment.ts';

/** Docker's own `config.json`, which its logins and ours share. */
export function configFile(env: CliEnvironment['env']): string {
  return join(env['DOCKER_CONFIG'] || join(env['HOME'] || '/root', '.docker'), 'config.json');
}

/** Where the user's logins are kept. Loaded on demand: most commands never talk about registries. */
export async function openCredentials({ env, now }: Pick<CliEnvironment, 'env' | 'now'>): Promise<CredentialStore> {
  const { openCredentialStore } = await import('../../registry-client/index.ts');
  return openCredentialStore({ file: configFile(env), env, now });
}

/**
 * The registry that a user names to log in: a host, or a URL of which the host counts; none is Docker Hub.
 * @throws BerthError `invalid`
 */
export async function namedRegistry(server: string | undefined): Promise<string> {
  if (!server) return 'docker.io';
  const { registryOf } = await import('../../registry-client/index.ts');
  return parseRegistry(registryOf(server.trim()));
}
