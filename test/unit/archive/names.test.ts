import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeName, encodeName, parseWhiteout } from '../../../src/archive/index.ts';

describe('names', () => {
  it('survive as any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(encodeName(decodeName(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('are plain text when they are UTF-8', () => {
    expect(decodeName(Buffer.from('naïve 漢字 😀 \ufffd'))).toBe('naïve 漢字 😀 \ufffd');
  });
});

describe('parseWhiteout', () => {
  it.each([
    ['file', { kind: 'none' }],
    ['.wh', { kind: 'none' }],
    ['.wh.file', { kind: 'deleted', name: 'file' }],
    ['.wh..hidden', { kind: 'deleted', name: '.hidden' }],
    ['.wh..wh..opq', { kind: 'opaque' }],
    ['.wh..wh.plnk', { kind: 'metadata' }],
    ['.wh.', { kind: 'malformed' }],
    ['.wh..', { kind: 'malformed' }],
    ['.wh...', { kind: 'malformed' }],
  ])('%s', (name, meaning) => {
    expect(parseWhiteout(name)).toEqual(meaning);
  });
});
