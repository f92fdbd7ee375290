import { BerthError, isBerthError } from '../../errors/index.ts';
import { familiarName, parseReference, type Reference, withDefaultTag } from '../../oci/index.ts';
import type { RegistryClient } from '../../registry-client/index.ts';
import type { Command } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { printError } from '../print-error.ts';
import { explained, withRegistries } from '../registry/open.ts';

export const run: Command = async ({ args, flags, environment }) => {
  const references = args.map(parseReference);
  const force = flags.bool('force');
  return await withRegistries(environment, {}, async ({ client, signal }) => {
    let code: number = exitCodes.ok;
    for (const named of references) {
      const reference = withDefaultTag(named);
      try {
        const done = await remove(client, reference, { force, signal });
        environment.stdout.write(`${done}\n`);
      } catch (error) {
        printError(environment.stderr, await explained(error, client, reference));
        code = exitCodes.failure;
      }
    }
    return code;
  });
};

interface RemoveOptions {
  readonly force: boolean;
  readonly signal: AbortSignal;
}

/** A digest goes with all its tags. A tag goes alone where the registry can do that, else only by force. */
async function remove(client: RegistryClient, reference: Reference, options: RemoveOptions): Promise<string> {
  const { registry, repository, tag, digest } = reference;
  const { force, signal } = options;
  if (digest !== undefined) {
    await deleteIt(client, { registry, repository, digest }, signal);
    return `Deleted: ${familiarName({ registry, repository, digest })}`;
  }
  const found = await client.headManifest(reference, signal);
  if (found === undefined) {
    throw new BerthError('not-found', `manifest for ${familiarName(reference)} not found: manifest unknown`);
  }
  try {
    await client.deleteManifest(reference, signal);
    return `Untagged: ${familiarName(reference)}`;
  } catch (error) {
    // Registries of before OCI 1.0 delete by digest only, and say so in many ways.
    if (!isBerthError(error) || !['invalid', 'unsupported', 'not-found'].includes(error.kind)) throw error;
  }
  const pinned = { registry, repository, digest: found.digest };
  if (!force) {
    throw new BerthError(
      'conflict',
      `${registry} cannot delete the tag ${tag} alone: deleting its manifest deletes every tag of ${found.digest}`,
      { hint: `use --force to delete them all, or name the manifest: ${familiarName(pinned)}` },
    );
  }
  await deleteIt(client, pinned, signal);
  return `Deleted: ${familiarName(pinned)}`;
}

async function deleteIt(client: RegistryClient, reference: Reference, signal: AbortSignal): Promise<void> {
  try {
    await client.deleteManifest(reference, signal);
  } catch (error) {
    if (!isBerthError(error) || error.kind !== 'unsupported') throw error;
    throw new BerthError('unsupported', `${reference.registry} does not allow deleting`, {
      hint: 'its operator has to turn that on (docker-registry: storage.delete.enabled), or delete there',
      cause: error,
    });
  }
}
