import { describe, expect, it } from 'vitest';
import { createIgnoreMatcher, hasGlob, ignorePattern, matchGlob, parseIgnore } from '../../../src/parser/index.ts';

const matcherOf = (text: string) => createIgnoreMatcher(parseIgnore(text));

describe('parseIgnore', () => {
  it('keeps the line of each pattern and cleans its text', () => {
    expect(parseIgnore('\ufeff# comment\n\n/dist/\n  ./a//b/../c  \r\n! keep.md\n')).toEqual([
      { text: 'dist', negated: false, line: 3 },
      { text: 'a/c', negated: false, line: 4 },
      { text: 'keep.md', negated: true, line: 5 },
    ]);
  });

  it('names patterns that cannot be used', () => {
    const { problems } = matcherOf('[a-\n!\nok\n[z-a]\nend\\');
    expect(problems.map(({ line, problem }) => `${line}: ${problem}`)).toEqual([
      '1: the bracket class is malformed',
      '2: there is no pattern after the !',
      '4: a range in the bracket class is reversed',
      '5: it ends with a backslash',
    ]);
  });
});

describe('createIgnoreMatcher', () => {
  it('matches whole paths from the root, and what is below a match', () => {
    const { ignores } = matcherOf('x\n*/y\n**/z\n');
    expect(['x', 'x/deep/file', 'a/y', 'a/b/z/c'].every(ignores)).toBe(true);
    expect(['a/x', 'y', 'a/b/y', 'xx'].some(ignores)).toBe(false);
  });

  it('lets the last match win and says which one it was', () => {
    const { ignores, reason } = matcherOf('*.md\n!README*.md\nREADME-secret.md\n');
    expect(ignores('README.md')).toBe(false);
    expect(reason('README.md')).toMatchObject({ text: 'README*.md', line: 2, negated: true });
    expect(reason('README-secret.md')).toMatchObject({ line: 3 });
    expect(reason('main.ts')).toBeUndefined();
  });

  it('skips a directory only when nothing below can come back', () => {
    const { canSkipDirectory } = matcherOf('node_modules\nsrc\n!src/keep/**\n!**/*.keep\nlogs\n');
    expect(canSkipDirectory('logs')).toBe(true);
    expect(canSkipDirectory('src')).toBe(false);
    expect(canSkipDirectory('node_modules')).toBe(false);
    const plain = matcherOf('node_modules\nsrc\n!src/keep/**\n');
    expect(plain.canSkipDirectory('node_modules')).toBe(true);
    expect(plain.canSkipDirectory('src/other')).toBe(true);
    expect(plain.canSkipDirectory('src/keep')).toBe(false);
    expect(plain.canSkipDirectory('docs')).toBe(false);
  });

  it('knows whether exceptions exist', () => {
    expect(matcherOf('a\n').mayContainExceptions).toBe(false);
    expect(matcherOf('a\n!a/b\n').mayContainExceptions).toBe(true);
  });

  it('serves COPY --exclude with single patterns', () => {
    const { ignores } = createIgnoreMatcher([ignorePattern('*.txt'), ignorePattern('!b.txt')]);
    expect([ignores('a.txt'), ignores('b.txt')]).toEqual([true, false]);
  });

  it('does not blow up on patterns with many stars', () => {
    const { ignores } = matcherOf(`${'**/*a*'.repeat(30)}b\n`);
    expect(ignores(`${'a/'.repeat(500)}a`)).toBe(false);
  });
});

describe('matchGlob', () => {
  it.each([
    ['*.json', 'package.json', true],
    ['*.json', 'a/package.json', false],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['\\*', '*', true],
    ['a*b*c', 'a1b2c', true],
    ['[', '[', false],
    ['a', 'a', true],
  ])('%s against %s: %s', (pattern, path, expected) => {
    expect(matchGlob(pattern, path)).toBe(expected);
  });

  it('sees what is a pattern at all', () => {
    expect(['*', 'a?', '[x]', 'a\\b'].every(hasGlob)).toBe(true);
    expect(hasGlob('a/b.txt')).toBe(false);
  });
});
