import { BerthError } from '../../errors/index.ts';
import type { Command } from '../context.ts';
import { openInput } from '../input-file.ts';
import { repositoryAndTag } from '../repository-tag.ts';
import { watchForManifest } from '../streams/manifest-watch.ts';
import { printMessages } from '../streams/messages.ts';

export const run: Command = async ({ args, flags, engine, environment }) => {
  const { stdin, stdout, stderr, cwd } = environment;
  const [source, name] = args as readonly [string, string | undefined];
  if (source === '-' && stdin.isTTY)
    throw new BerthError('invalid', 'there is no archive on stdin', { hint: 'redirect stdin, or name a file' });
  const target = name === undefined ? {} : repositoryAndTag(name);
  const parameters = {
    ...target,
    message: flags.string('message'),
    changes: flags.list('change'),
    platform: flags.string('platform'),
  };
  if (/^https?:\/\//i.test(source)) {
    // The engine fetches it. What comes before the image's id is how far it is, and for people only.
    for await (const { status } of engine.messages('POST', '/images/create', {
      query: { fromSrc: source, ...parameters },
    })) {
      if (status !== undefined) (status.startsWith('sha256:') ? stdout : stderr).write(`${status}\n`);
    }
    return 0;
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source)) {
    throw new BerthError('invalid', `cannot import from ${source.replace(/:.*/s, '')} addresses`, {
      hint: 'use an http or https URL, a file, or - for stdin',
    });
  }
  const input = source === '-' ? (stdin as AsyncIterable<Uint8Array>) : await openInput(source, cwd);
  await engine.ready();
  const watched = watchForManifest(input);
  const messages = engine.messages('POST', '/images/create', {
    query: { fromSrc: '-', ...parameters },
    headers: { 'Content-Type': 'application/x-tar' },
    body: watched.stream,
  });
  await printMessages(messages, stdout, { quiet: false });
  if (watched.sawManifest())
    stderr.write('  hint: this looks like `docker save` output: use `berth load` to get its images back\n');
  return 0;
};
