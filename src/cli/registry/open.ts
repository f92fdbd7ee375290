import { join } from 'node:path';
import { nearest } from '../../diagnostics/index.ts';
import { BerthError, isBerthError } from '../../errors/index.ts';
import { familiarName, familiarRepository, type Reference, type Registry } from '../../oci/index.ts';
import type { RegistryClient } from '../../registry-client/index.ts';
import { clientVersion } from '../commands/client-version.ts';
import type { CliEnvironment } from '../environment.ts';

const MAX_TAGS = 1000;

export interface Registries {
  readonly client: RegistryClient;
  /** Ends when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Docker's folder of the client's configuration. */
export function configFolder(env: CliEnvironment['env']): string {
  return env['DOCKER_CONFIG'] || join(env['HOME'] || '/root', '.docker');
}

/**
 * Lets a command talk to registries itself, with the user's credentials and this machine's configuration: no engine need
 * run. What fails is told in the words of this program.
 */
export async function withRegistries<T>(
  { env, now, signals }: CliEnvironment,
  options: { readonly insecure?: readonly Registry[] },
  use: (registries: Registries) => Promise<T>,
): Promise<T> {
  const { createKeychain, openRegistries, registryFilesOf } = await import('../../registry-client/index.ts');
  const client = openRegistries({
    files: registryFilesOf(env),
    keychain: createKeychain({ file: join(configFolder(env), 'config.json'), env }),
    env,
    now,
    userAgent: `berth/${clientVersion} (linux)`,
    ...options,
  });
  const leaving = new AbortController();
  const leave = () => leaving.abort(new BerthError('cancelled', 'cancelled'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.on(signal, leave);
  try {
    return await use({ client, signal: leaving.signal });
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.off(signal, leave);
    client.close();
  }
}

/** Adds what can be done: logging in, or another tag. */
export async function explained(error: unknown, client: RegistryClient, reference: Reference): Promise<unknown> {
  if (!isBerthError(error)) return error;
  const { registry, repository } = reference;
  const refusal = explainedRefusal(error, registry);
  if (refusal !== error) return refusal;
  if (told.has(error) || error.kind !== 'not-found' || reference.digest !== undefined || error.hint !== undefined)
    return error;
  const tags = await tagsOf(client, { registry, repository });
  if (tags.length === 0) return error;
  const meant = nearest(reference.tag ?? 'latest', tags);
  const hint = meant
    ? `did you mean ${familiarName({ registry, repository, tag: meant })}?`
    : `tags of ${familiarRepository(reference)}: ${tags.slice(0, 10).join(', ')}${tags.length > 10 ? ', ...' : ''}`;
  return new BerthError(error.kind, error.message, { hint, cause: error });
}

/** Errors that say already which registry one has to log in to. */
const told = new WeakSet<Error>();

/** Says how to log in to the registry that refused. */
export function explainedRefusal(error: unknown, registry: Registry): unknown {
  if (!isBerthError(error) || told.has(error) || !isRefusal(error)) return error;
  const hint = `berth login${registry === 'docker.io' ? '' : ` ${registry}`}`;
  const explained = new BerthError(error.kind, error.message, { hint, cause: error });
  told.add(explained);
  return explained;
}

/** A registry that hides what one may not see says that it is not there. */
function isRefusal(error: unknown): boolean {
  if (!isBerthError(error)) return false;
  return error.kind === 'unauthorized' || error.kind === 'forbidden' || isRefusal(error.cause);
}

async function tagsOf(client: RegistryClient, repository: Pick<Reference, 'registry' | 'repository'>) {
  const tags: string[] = [];
  try {
    for await (const tag of client.listTags(repository)) {
      tags.push(tag);
      if (tags.length === MAX_TAGS) break;
    }
  } catch {
    // Only a hint is lost.
  }
  return tags;
}
