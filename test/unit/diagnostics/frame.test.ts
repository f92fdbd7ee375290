import { describe, expect, it } from 'vitest';
import { nearest, printDiagnostic, SourceText } from '../../../src/diagnostics/index.ts';

const source = new SourceText('Dockerfile', 'FROM busybox\nRNU echo hello\n');

describe('printDiagnostic', () => {
  it('shows where, what and what to write instead', () => {
    const text = printDiagnostic(
      {
        code: 'dockerfile/unknown-instruction',
        severity: 'error',
        message: 'unknown instruction: RNU',
        span: source.span(13, 16),
        hint: 'did you mean RUN?',
      },
      source,
    );
    expect(text).toBe(
      [
        'Dockerfile:2:1: error: unknown instruction: RNU [dockerfile/unknown-instruction]',
        '  1 | FROM busybox',
        '> 2 | RNU echo hello',
        '    | ^^^',
        '  hint: did you mean RUN?',
      ].join('\n'),
    );
  });

  it('never sends control characters of the file to the terminal', () => {
    const hostile = new SourceText('D', 'RUN \u001b[2J\u0007x');
    const text = printDiagnostic(
      { code: 'x/y', severity: 'error', message: 'bad \u001b[31m', span: hostile.span(4, 5) },
      hostile,
    );
    expect(text).not.toMatch(/[\u0007\u001b]/);
  });

  it('cuts a long line around the mark', () => {
    const long = new SourceText('D', `${'a'.repeat(5000)}HERE${'b'.repeat(5000)}`);
    const lines = printDiagnostic(
      { code: 'x/y', severity: 'warning', message: 'm', span: long.span(5000, 5004) },
      long,
    ).split('\n');
    expect(lines[1]!.length).toBeLessThan(200);
    expect(lines[1]!.indexOf('HERE')).toBe(lines[2]!.indexOf('^^^^'));
  });
});

describe('SourceText', () => {
  it('turns offsets into lines and columns from 1', () => {
    expect(source.positionAt(13)).toEqual({ offset: 13, line: 2, column: 1 });
    expect(source.positionAt(12)).toEqual({ offset: 12, line: 1, column: 13 });
    expect(source.positionAt(999).line).toBe(3);
  });
});

describe('nearest', () => {
  it.each([
    ['RNU', ['RUN', 'CMD'], 'RUN'],
    ['--cacheform', ['--cache-from', '--target'], '--cache-from'],
    ['xyzzy', ['RUN', 'CMD'], undefined],
    ['copy', ['COPY'], 'COPY'],
  ])('%s means %s', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });
});
