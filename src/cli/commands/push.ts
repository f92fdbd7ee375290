import { canonicalName, familiarRepository, parseReference, withDefaultTag } from '../../oci/index.ts';
import { registryAuthHeader } from '../connection/registry-auth.ts';
import type { Command } from '../context.ts';
import { imagePath } from '../paths.ts';
import { printMessages } from '../streams/messages.ts';
import { UsageError } from '../syntax/usage-error.ts';

export const run: Command = async ({ name, flags, args, engine, environment }) => {
  const { stdout, env } = environment;
  const quiet = flags.bool('quiet');
  const named = parseReference(args[0]!);
  const isAll = flags.bool('all-tags');
  if (isAll && named.tag !== undefined) {
    throw new UsageError('a tag cannot be used with --all-tags/-a', { exitCode: 1, command: name });
  }
  const reference = isAll ? named : withDefaultTag(named);
  if (!isAll && named.tag === undefined && !quiet) stdout.write(`Using default tag: ${reference.tag}\n`);
  const messages = engine.messages('POST', imagePath(familiarRepository(named), 'push'), {
    query: { tag: reference.tag },
    headers: await registryAuthHeader(named.registry, env),
  });
  await printMessages(messages, stdout, { quiet });
  if (quiet) stdout.write(`${canonicalName(reference)}\n`);
  return 0;
};
