import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, humanDuration, parseDuration } from '../../../src/units/index.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('humanDuration', () => {
  it.each([
    [450, 'Less than a second'],
    [SECOND, '1 second'],
    [45.9 * SECOND, '45 seconds'],
    [MINUTE, 'About a minute'],
    [3 * MINUTE, '3 minutes'],
    [60 * MINUTE, 'About an hour'],
    [89 * MINUTE, 'About an hour'],
    [3 * HOUR, '3 hours'],
    [47 * HOUR, '47 hours'],
    [2 * DAY, '2 days'],
    [13 * DAY, '13 days'],
    [14 * DAY, '2 weeks'],
    [59 * DAY, '8 weeks'],
    [60 * DAY, '2 months'],
    [23.5 * 30 * DAY, '23 months'],
    [2 * 365 * DAY, '2 years'],
  ])('says %d ms as %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });
});

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['5s', 5e9],
    ['1h2m3.5s', 3723.5e9],
    ['1.5ms', 1.5e6],
    ['10us', 1e4],
    ['10µs', 1e4],
    ['-1m', -60e9],
    ['.5s', 5e8],
  ])('reads %s', (text, ns) => {
    expect(parseDuration(text)).toBe(ns);
  });

  it.each(['', '5', 's', '1d', '1s ', '--1s', '1h2'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(/invalid duration/);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ns'],
    [1100, '1.1µs'],
    [2.2e6, '2.2ms'],
    [3.3e9, '3.3s'],
    [245e9, '4m5s'],
    [3723.5e9, '1h2m3.5s'],
    [-90e9, '-1m30s'],
  ])('writes %d', (ns, text) => {
    expect(formatDuration(ns)).toBe(text);
  });

  it('is read back by parseDuration', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e15, max: 1e15 }), (ns) => {
        expect(parseDuration(formatDuration(ns))).toBeCloseTo(ns, -1);
      }),
    );
  });
});
