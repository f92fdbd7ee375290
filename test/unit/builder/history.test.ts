import { describe, expect, it } from 'vitest';
import { goQuote, healthcheckText, quotedList, runText } from '../../../src/builder/plan/history.ts';

describe('history texts', () => {
  it('lists the ARGs in scope before the command', () => {
    expect(runText([], ['/bin/sh', '-c', 'make'])).toBe('RUN /bin/sh -c make');
    expect(runText(['A=1', 'B='], ['/bin/sh', '-c', 'make'])).toBe('RUN |2 A=1 B= /bin/sh -c make');
    expect(runText([], [])).toBe('RUN ');
  });

  it.each([
    ['a"b\\', '"a\\"b\\\\"'],
    ['\n\t\u0001\u007f', '"\\n\\t\\x01\\x7f"'],
    ['☃ ü', '"☃ ü"'],
    ['\u200b\u00a0', '"\\u200b\\u00a0"'],
  ])('quotes %j as Go does', (text, quoted) => {
    expect(goQuote(text)).toBe(quoted);
  });

  it('writes lists and healthchecks as Go prints them', () => {
    expect(quotedList('CMD', ['a', 'b c'])).toBe('CMD ["a" "b c"]');
    expect(healthcheckText({ Test: ['CMD-SHELL', 'x'], Interval: 300e9, StartInterval: 500e6, Retries: 3 })).toBe(
      'HEALTHCHECK {Test:[CMD-SHELL x] Interval:5m0s Timeout:0s StartPeriod:0s StartInterval:500ms Retries:3}',
    );
  });
});
