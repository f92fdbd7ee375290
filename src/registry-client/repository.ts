import { BerthError, isBerthError } from '../errors/index.ts';
import type { Reference } from '../oci/index.ts';
import type { Keychain } from './auth/keychain.ts';
import type { RegistryConfig } from './config.ts';
import { endpointsFor } from './endpoint.ts';
import type { HttpResponse } from './http/transport.ts';
import type { ApiRequest, Place, Session } from './session.ts';

export type RepositoryName = Pick<Reference, 'registry' | 'repository'>;

/** A registry client's parts that every operation needs. */
export interface Access {
  readonly session: Session;
  readonly config: RegistryConfig;
  readonly keychain: Keychain | undefined;
}

/** Where writes go. @throws BerthError `forbidden` when the configuration blocks them */
export function writePlace({ config, keychain }: Access, name: RepositoryName): Place {
  const endpoint = endpointsFor(name, config, 'push').at(-1);
  if (endpoint === undefined) throw new Error('a repository has at least one place');
  return { endpoint, keychain };
}

/**
 * Reads from the first place that answers: mirrors come first, and whatever goes wrong there, the next place is asked.
 * What the registry itself says counts.
 */
export async function readAnywhere<T>(
  { config, keychain }: Access,
  name: RepositoryName,
  read: (place: Place) => Promise<T>,
): Promise<T> {
  const endpoints = endpointsFor(name, config, 'pull');
  for (const [index, endpoint] of endpoints.entries()) {
    try {
      return await read({ endpoint, keychain });
    } catch (error) {
      const isCancelled = isBerthError(error) ? error.kind === 'cancelled' : (error as Error).name === 'AbortError';
      if (index === endpoints.length - 1 || isCancelled) throw error;
    }
  }
  throw new BerthError('internal', 'a repository has at least one place');
}

/** As `Session.call`, from anywhere. */
export function callAnywhere<T>(
  access: Access,
  name: RepositoryName,
  request: ApiRequest,
  consume: (response: HttpResponse) => T | Promise<T>,
): Promise<T> {
  return readAnywhere(access, name, (place) => access.session.call(place, request, consume));
}
