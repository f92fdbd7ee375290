import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { JsonMessage } from '../../../src/api/contract/index.ts';
import { printMessages } from '../../../src/cli/streams/messages.ts';

async function printed(
  messages: readonly JsonMessage[],
  terminal?: { rows: number; columns: number },
): Promise<string> {
  const out = Object.assign(new PassThrough(), terminal ? { isTTY: true, ...terminal } : {});
  const source = (async function* () {
    yield* messages;
  })();
  await printMessages(source, out, { quiet: false });
  return String(out.read() ?? '');
}

const bar = (id: string, current: number) => ({
  id,
  status: 'Downloading',
  progressDetail: { current, total: 10 },
  progress: `[=>] ${current}B/10B`,
});

describe('progress messages', () => {
  it('have no bars in a file, and each status once', async () => {
    const messages = [
      { status: 'Pulling', id: '1' },
      bar('a', 1),
      bar('a', 2),
      { status: 'Done', id: 'a' },
      { status: 'Digest: x' },
    ];
    expect(await printed([...messages, { status: 'Done', id: 'a' }])).toBe('1: Pulling\na: Done\nDigest: x\n');
  });

  it('take a line for each id on a terminal', async () => {
    const messages = [bar('a', 1), bar('b', 1), bar('a', 2), { status: 'Digest: x' }];
    expect(await printed(messages, { rows: 10, columns: 80 })).toBe(
      [
        'a: Downloading [=>] 1B/10B\n',
        'b: Downloading [=>] 1B/10B\n',
        '\x1b[2A\x1b[2K\ra: Downloading [=>] 2B/10B\x1b[2B\r',
        'Digest: x\n',
      ].join(''),
    );
  });

  it('leave lines alone that have scrolled away, and never wrap', async () => {
    const out = await printed([bar('a', 1), bar('b', 1), bar('c', 1), bar('a', 2)], { rows: 3, columns: 12 });
    expect(out).toBe('a: Download\nb: Download\nc: Download\n');
  });

  it('cannot move the cursor by what a registry sent', async () => {
    expect(await printed([{ status: 'evil\x1b[2J' }])).toBe('evil\ufffd[2J\n');
  });
});
