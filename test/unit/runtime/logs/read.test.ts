import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LogQuery, readLog } from '../../../../src/runtime/logs/read.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/berth-log-`);
  path = `${folder}/log`;
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000+00:00`;
const line = (second: number, text: string, tag = 'F', stream = 'stdout') => `${at(second)} ${stream} ${tag} ${text}\n`;
const ms = (second: number) => Date.parse(at(second));

async function read(query: Partial<LogQuery> = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const entry of readLog(path, { follow: false, tail: 'all', ...query })) lines.push(entry.line.toString());
  return lines;
}

describe('reading a log', () => {
  it('gives every line, and what was written last without a newline', async () => {
    writeFileSync(path, line(0, 'a') + line(1, 'b', 'P') + line(1, 'c') + line(2, 'end', 'P'));
    expect(await read()).toEqual(['a\n', 'bc\n', 'end']);
  });

  it('is empty when there is none', async () => {
    expect(await read()).toEqual([]);
  });

  it('keeps to the times asked for, both ends included', async () => {
    writeFileSync(path, [0, 1, 2, 3].map((second) => line(second, `${second}`)).join(''));
    expect(await read({ since: ms(1), until: ms(2) })).toEqual(['1\n', '2\n']);
  });

  it.each([0, 1, 2, 7, 1000])('gives the last %d lines', async (tail) => {
    // Records of very different length, so that blocks end inside them.
    const lines = Array.from({ length: 60 }, (_, number) => `${number}:${'x'.repeat((number * 977) % 8000)}`);
    writeFileSync(path, lines.map((text) => line(0, text)).join(''));
    expect(await read({ tail })).toEqual(tail === 0 ? [] : lines.slice(-tail).map((text) => `${text}\n`));
  });

  it('counts parts as one line, and an unfinished one too', async () => {
    writeFileSync(path, line(0, 'a') + line(1, 'b', 'P') + line(1, 'c') + line(2, 'end', 'P'));
    expect(await read({ tail: 1 })).toEqual(['end']);
    expect(await read({ tail: 2 })).toEqual(['bc\n', 'end']);
  });
});

describe('following a log', () => {
  it('goes on until the end is told, missing nothing written before it', async () => {
    writeFileSync(path, line(0, 'first'));
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const lines: string[] = [];
    for await (const entry of readLog(path, { follow: true, tail: 'all', ended })) {
      lines.push(entry.line.toString());
      if (lines.length === 1) appendFileSync(path, line(1, 'second'));
      if (lines.length === 2) {
        appendFileSync(path, line(2, 'third') + line(2, 'rest', 'P'));
        resolve();
      }
    }
    expect(lines).toEqual(['first\n', 'second\n', 'third\n', 'rest']);
  });

  it('notices a log that is made later', async () => {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const lines = read({ follow: true, ended });
    writeFileSync(path, line(0, 'late'));
    resolve();
    expect(await lines).toEqual(['late\n']);
  });

  it('ends at the signal', async () => {
    writeFileSync(path, line(0, 'a'));
    const abort = new AbortController();
    const lines: string[] = [];
    for await (const entry of readLog(path, { follow: true, tail: 'all', signal: abort.signal })) {
      lines.push(entry.line.toString());
      abort.abort();
    }
    expect(lines).toEqual(['a\n']);
  });

  it('ends at the time asked for, even when nothing is written', async () => {
    writeFileSync(path, line(0, 'a'));
    expect(await read({ follow: true, until: Date.now() + 30 })).toEqual(['a\n']);
  });
});
