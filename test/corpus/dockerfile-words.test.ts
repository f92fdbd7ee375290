import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expandHeredoc, expandKnown, expandWord, expandWords } from '../../src/parser/index.ts';
import { corpusFile, jsonLines } from './dockerfile-corpus.ts';

interface ShellCase {
  readonly id: string;
  readonly word: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly escape?: '`';
  readonly mode?: 'words';
  readonly opts?: readonly string[];
  readonly result?: string;
  readonly words?: readonly string[];
  readonly error?: string;
  readonly matched?: readonly string[];
  readonly unmatched?: readonly string[];
}

function options(env: Readonly<Record<string, string>>, escapeToken: '\\' | '`' = '\\') {
  return { escape: escapeToken, lookup: (name: string) => (Object.hasOwn(env, name) ? env[name] : undefined) };
}

describe('shell cases of the reference lexer', () => {
  it.each(jsonLines<ShellCase>('shell/cases.jsonl'))('$id', (row) => {
    const given = options(row.env ?? {}, row.escape);
    if (row.mode === 'words') {
      expect(expandWords(row.word, given)).toMatchObject({ words: row.words, errors: [] });
      return;
    }
    const expand = row.opts?.includes('skipProcessQuotes')
      ? expandHeredoc
      : row.opts?.includes('skipUnsetEnv')
        ? expandKnown
        : expandWord;
    const { value, errors, used, missing } = expand(row.word, given);
    if (row.error) {
      expect(errors).toHaveLength(1);
      return;
    }
    expect(errors).toEqual([]);
    expect(value).toBe(row.result);
    expect([...used].sort()).toEqual(row.matched);
    expect([...missing].sort()).toEqual(row.unmatched);
  });
});

describe('envVarTest.txt', () => {
  const env = { PWD: '/home', SHELL: 'bash', KOREAN: '한국어', NULL: '' };
  it.each(textRows('shell/envVarTest.txt'))('%s', (row) => {
    const [platform, word, expected] = row.split('|').map((part) => part.trim());
    const given = options(env);
    // Names do not count case on Windows; that is the planner's lookup, not the lexer's business.
    const lookup = platform === 'W' ? (name: string) => given.lookup(name.toUpperCase()) : given.lookup;
    const { value, errors } = expandWord(word!, { ...given, lookup });
    expect(errors.length > 0 ? 'error' : value).toBe(expected);
  });
});

describe('wordsTest.txt', () => {
  const env: Record<string, string> = {};
  for (const row of textRows('shell/wordsTest.txt')) {
    const definition = /^ENV ([^=]+)=(.*)$/.exec(row);
    if (definition) {
      env[definition[1]!] = definition[2]!;
      continue;
    }
    const snapshot = { ...env };
    it(row, () => {
      const [word, expected] = row.split('|');
      const { words, errors } = expandWords(word!.trimStart().replace(/ $/, ''), options(snapshot));
      expect(errors.length > 0 ? ['error'] : words).toEqual(expected!.trimStart().split(','));
    });
  }
});

function textRows(path: string): string[] {
  return readFileSync(corpusFile(path), 'utf8')
    .split('\n')
    .filter((row) => row.trim() !== '' && !row.startsWith('#'));
}
