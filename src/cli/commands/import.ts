import { BerthError } from '../../errors/index.ts';
import type { Command } from '../context.ts';
import { openInput } from '../input-file.ts';
import { repositoryAndTag } from '../repository-tag.ts';
import { watchForManifest } from '../streams/manifest-watch.ts';
import { printMessages } from '../streams/messages.ts';

export const run: Command = async ({ args, flags, engine, environment }) => {
  const { stdin, stdout, stderr, cwd } = environment;
  const [source, name] = args as readonly [string, string | undefined];
  if (/^(https?|ftp|git):\/\//i.test(source)) {
    throw new BerthError('unsupported', 'importing from a URL is not there yet', {
      hint: `curl -L ${source} | berth import -`,
    });
  }
  if (source === '-' && stdin.isTTY)
    throw new BerthError('invalid', 'there is no archive on stdin', { hint: 'redirect stdin, or name a file' });
  const target = name === undefined ? {} : repositoryAndTag(name);
  const input = source === '-' ? (stdin as AsyncIterable<Uint8Array>) : await openInput(source, cwd);
  await engine.ready();
  const watched = watchForManifest(input);
  const messages = engine.messages('POST', '/images/create', {
    query: {
      fromSrc: '-',
      ...target,
      message: flags.string('message'),
      changes: flags.list('change'),
      platform: flags.string('platform'),
    },
    headers: { 'Content-Type': 'application/x-tar' },
    body: watched.stream,
  });
  await printMessages(messages, stdout, { quiet: false });
  if (watched.sawManifest())
    stderr.write('  hint: this looks like `docker save` output: use `berth load` to get its images back\n');
  return 0;
};
