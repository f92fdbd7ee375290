import { describe, expect, it } from 'vitest';
import { humanBinarySize, humanSize, parseSize } from '../../../src/units/index.ts';

describe('humanSize', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1_984_321, '1.984MB'],
    [77_890_000, '77.89MB'],
    [2.746e15, '2.746PB'],
  ])('writes %d as %s', (bytes, text) => {
    expect(humanSize(bytes)).toBe(text);
  });

  it('rounds to the given precision and moves to the next unit when rounding reaches it', () => {
    expect(humanSize(1_984_321, 3)).toBe('1.98MB');
    expect(humanSize(999_999, 3)).toBe('1MB');
  });

  it('has a binary form', () => {
    expect(humanBinarySize(1.5 * 1024 ** 3)).toBe('1.5GiB');
  });
});

describe('parseSize', () => {
  it.each([
    ['32', 32],
    ['32b', 32],
    ['32k', 32 * 1024],
    ['32KB', 32 * 1024],
    ['64m', 64 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['10 MiB', 10 * 1024 ** 2],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'm', '-1', '1x', '1.2.3', '99999999999p', '1 2'])('refuses %j', (text) => {
    expect(() => parseSize(text)).toThrow(/invalid size/);
  });
});
