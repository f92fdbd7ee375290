import { BerthError, isBerthError, toBerthError } from '../../errors/index.ts';
import { familiarName, parseReference, withDefaultTag } from '../../oci/index.ts';
import type { Engine } from '../connection/engine.ts';
import { registryAuthHeader } from '../connection/registry-auth.ts';
import type { OutputStream } from '../environment.ts';
import { printMessages } from '../streams/messages.ts';

export interface PullOptions {
  readonly platform: string | undefined;
  readonly quiet: boolean;
  /** Says where the user's credentials are. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Pulls an image. Progress goes to `stderr`, so that the output of `run` stays the container's own. */
export async function pullImage(
  engine: Engine,
  image: string,
  stderr: OutputStream,
  options: PullOptions,
): Promise<void> {
  const { registry, repository, tag, digest } = withDefaultTag(parseReference(image));
  const messages = engine.messages('POST', '/images/create', {
    query: { fromImage: `${registry}/${repository}`, tag: digest ?? tag, platform: options.platform },
    headers: await registryAuthHeader(registry, options.env),
  });
  await printMessages(messages, stderr, { quiet: options.quiet });
}

/**
 * Does something that needs an image, and once more after a pull when the engine does not have it.
 * @param missing what to do about a missing image: `never` leaves the engine's error as it is
 */
export async function withImage<T>(
  action: () => Promise<T>,
  {
    engine,
    image,
    stderr,
    policy,
    ...options
  }: PullOptions & {
    readonly engine: Engine;
    readonly image: string;
    readonly stderr: OutputStream;
    readonly policy: 'always' | 'missing' | 'never';
  },
): Promise<T> {
  if (policy === 'always') await pullImage(engine, image, stderr, options);
  try {
    return await action();
  } catch (error) {
    if (policy !== 'missing' || !isBerthError(error) || error.kind !== 'not-found') throw error;
    stderr.write(`Unable to find image '${shownName(image)}' locally\n`);
    await pullImage(engine, image, stderr, options).catch((failure: unknown) => {
      throw withLocalHint(failure, error.hint);
    });
    return await action();
  }
}

function shownName(image: string): string {
  return familiarName(withDefaultTag(parseReference(image)));
}

/** What the engine knows about similar local images is worth more than why a registry did not help. */
function withLocalHint(failure: unknown, hint: string | undefined): unknown {
  const error = toBerthError(failure);
  if (hint === undefined || error.hint !== undefined) return error;
  return new BerthError(error.kind, error.message, { hint, cause: failure });
}
