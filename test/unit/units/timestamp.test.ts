import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatRfc3339Nano,
  formatUnixSeconds,
  parseRfc3339,
  parseTimestamp,
  zeroTime,
} from '../../../src/units/index.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 0, 0);

describe('formatRfc3339Nano', () => {
  it('drops trailing zeros unless a fixed width is asked for', () => {
    expect(formatRfc3339Nano(NOW)).toBe('2026-01-31T12:00:00Z');
    expect(formatRfc3339Nano(NOW + 120)).toBe('2026-01-31T12:00:00.12Z');
    expect(formatRfc3339Nano(NOW + 120.5)).toBe('2026-01-31T12:00:00.1205Z');
    expect(formatRfc3339Nano(NOW, { fixed: true })).toBe('2026-01-31T12:00:00.000000000Z');
  });

  it('is read back by parseRfc3339', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (ms) => {
        expect(parseRfc3339(formatRfc3339Nano(ms))).toBeCloseTo(ms, 3);
      }),
    );
  });
});

describe('parseTimestamp', () => {
  it.each([
    ['2026-01-31T12:00:00Z', NOW],
    ['2026-01-31T12:00:00.25Z', NOW + 250],
    ['2026-01-31T13:00:00+01:00', NOW],
    ['1769860800', NOW],
    ['1769860800.5', NOW + 500],
    ['5s', NOW - 5000],
    ['1h30m', NOW - 5_400_000],
  ])('reads %s', (text, ms) => {
    expect(parseTimestamp(text, NOW)).toBe(ms);
  });

  it('takes a date without a zone as local time', () => {
    expect(parseTimestamp('2026-01-31', NOW)).toBe(new Date(2026, 0, 31).getTime());
    expect(parseTimestamp('2026-01-31T10:30', NOW)).toBe(new Date(2026, 0, 31, 10, 30).getTime());
  });

  it.each(['', 'yesterday', '2026-02-30', '2026-01-31T25:00:00Z', '1.2.3'])('refuses %j', (text) => {
    expect(() => parseTimestamp(text, NOW)).toThrow(/invalid time/);
  });
});

it('knows the zero time as no time', () => {
  expect(parseRfc3339(zeroTime)).toBeUndefined();
});

it('writes unix seconds with nine decimals for the API', () => {
  expect(formatUnixSeconds(NOW + 1.5)).toBe('1769860800.001500000');
});
