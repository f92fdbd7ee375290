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
    query: {
      tag: reference.tag,
      'berth-compression': compressionOf(name, flags.string('compression'), flags.string('compression-level')),
      'berth-annotations': annotationsOf(name, flags.list('annotation')),
    },
    headers: await registryAuthHeader(named.registry, env),
  });
  await printMessages(messages, stdout, { quiet });
  if (quiet) stdout.write(`${canonicalName(reference)}\n`);
  return 0;
};

/** `zstd`, or with a level `zstd:19`; undefined when nothing was asked for. */
function compressionOf(command: string, format: string | undefined, level: string | undefined): string | undefined {
  if (format !== undefined && format !== 'gzip' && format !== 'zstd') {
    throw new UsageError(`invalid value "${format}" for --compression: it is gzip or zstd`, { exitCode: 1, command });
  }
  if (level === undefined) return format;
  if (!/^\d{1,2}$/.test(level)) {
    throw new UsageError(`invalid value "${level}" for --compression-level: it is a number`, { exitCode: 1, command });
  }
  return `${format ?? 'gzip'}:${level}`;
}

/** As a JSON object; undefined for none. */
function annotationsOf(command: string, given: readonly string[]): string | undefined {
  if (given.length === 0) return undefined;
  const pairs = given.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`invalid annotation "${text}": it is KEY=VALUE`, { exitCode: 1, command });
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return JSON.stringify(Object.fromEntries(pairs));
}
