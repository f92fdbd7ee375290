import { canonicalName, familiarName, parseReference, withDefaultTag } from '../../oci/index.ts';
import { pullImage } from '../container/pull.ts';
import type { Command } from '../context.ts';

export const run: Command = async ({ flags, args, engine, environment }) => {
  const { stdout, env } = environment;
  const quiet = flags.bool('quiet');
  const named = parseReference(args[0]!);
  const reference = withDefaultTag(named);
  if (reference !== named && !quiet) stdout.write(`Using default tag: ${reference.tag}\n`);
  await pullImage(engine, familiarName(reference), stdout, { platform: flags.string('platform'), quiet, env });
  stdout.write(`${canonicalName(reference)}\n`);
  return 0;
};
