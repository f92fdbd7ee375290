import { describe, expect, it } from 'vitest';
import { createIgnoreMatcher, ignorePattern, parseIgnore } from '../../src/parser/index.ts';
import { jsonLines } from './dockerfile-corpus.ts';

interface IgnoreCase {
  readonly id: string;
  readonly patterns: readonly string[];
  readonly file?: string;
  readonly error?: string;
  readonly results?: readonly { readonly path: string; readonly excluded?: boolean; readonly error?: string }[];
}

describe('ignore cases of the reference matcher', () => {
  it.each(jsonLines<IgnoreCase>('dockerignore/cases.jsonl'))('$id', ({ patterns, file, error, results = [] }) => {
    const written = patterns.filter((pattern) => pattern.trim() !== '');
    const read = file === undefined ? written.map((pattern) => ignorePattern(pattern)) : parseIgnore(file);
    const matcher = createIgnoreMatcher(read);
    if (file !== undefined) expect(read.map(({ negated, text }) => (negated ? `!${text}` : text))).toEqual(patterns);
    if (error || results.some((row) => row.error)) {
      expect(matcher.problems.length).toBeGreaterThan(0);
      return;
    }
    expect(matcher.problems).toEqual([]);
    expect(results.map(({ path }) => ({ path, excluded: matcher.ignores(path) }))).toEqual(results);
    for (const { path } of results.filter((row) => matcher.canSkipDirectory(row.path))) {
      const below = results.filter((row) => row.path.startsWith(`${path}/`));
      expect(below.filter(({ excluded }) => !excluded)).toEqual([]);
    }
  });
});
