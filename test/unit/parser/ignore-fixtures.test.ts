import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createIgnoreMatcher, parseIgnore } from '../../../src/parser/index.ts';

interface IgnoreFixture {
  readonly id: string;
  readonly file: string;
  readonly patterns: readonly string[];
  readonly excluded?: readonly string[];
  readonly kept?: readonly string[];
  readonly refused?: true;
}

const path = new URL('../../../fixtures/dockerignore/cases.json', import.meta.url);
const fixtures = JSON.parse(readFileSync(path, 'utf8')) as IgnoreFixture[];

describe('.dockerignore files', () => {
  it.each(fixtures)('$id', ({ file, patterns, excluded = [], kept = [], refused }) => {
    const read = parseIgnore(file);
    const { problems, ignores, canSkipDirectory } = createIgnoreMatcher(read);
    expect(read.map(({ negated, text }) => (negated ? `!${text}` : text))).toEqual(patterns);
    expect(problems.length > 0).toBe(refused ?? false);
    expect(excluded.filter((entry) => !ignores(entry))).toEqual([]);
    expect(kept.filter(ignores)).toEqual([]);
    for (const directory of excluded.filter(canSkipDirectory)) {
      expect(kept.filter((entry) => entry.startsWith(`${directory}/`))).toEqual([]);
    }
  });
});
