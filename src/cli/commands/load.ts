import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pack } from 'tar-fs';
import { BerthError } from '../../errors/index.ts';
import type { Command } from '../context.ts';
import { openInput } from '../input-file.ts';
import { printMessages } from '../streams/messages.ts';

export const run: Command = async ({ flags, engine, environment }) => {
  const { stdin, stdout, cwd } = environment;
  const input = flags.string('input');
  if (!input && stdin.isTTY) {
    throw new BerthError('invalid', 'there is no archive on stdin', { hint: 'use -i FILE, or redirect stdin' });
  }
  const body = input ? await openArchive(input, cwd) : (stdin as AsyncIterable<Uint8Array>);
  await engine.ready();
  const messages = engine.messages('POST', '/images/load', {
    query: { quiet: flags.bool('quiet') || !stdout.isTTY ? 1 : 0 },
    headers: { 'Content-Type': 'application/x-tar' },
    body,
  });
  await printMessages(messages, stdout, { quiet: false });
  return 0;
};

/** An OCI layout that lies open in a folder is as good as one in a tar. */
async function openArchive(name: string, cwd: string): Promise<AsyncIterable<Uint8Array>> {
  const path = resolve(cwd, name);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? pack(path, { sort: true }) : openInput(name, cwd);
}
