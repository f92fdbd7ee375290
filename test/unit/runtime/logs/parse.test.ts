import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineAssembler, parseRecord } from '../../../../src/runtime/logs/parse.ts';

const record = (text: string) => parseRecord(Buffer.from(text));

describe('log record', () => {
  it('has time, stream, tag and content', () => {
    expect(record('2026-11-24T21:07:11.459993988+00:00 stderr F two  words ')).toEqual({
      time: '2026-11-24T21:07:11.459993988Z',
      stream: 'stderr',
      partial: false,
      content: Buffer.from('two  words '),
    });
    expect(record('2026-11-24T21:07:11.459993988+00:00 stdout P ')).toMatchObject({
      partial: true,
      content: Buffer.alloc(0),
    });
  });

  it('tells times in UTC with nine digits', () => {
    expect(record('2026-01-01T00:30:00.5+01:00 stdout F x')?.time).toBe('2025-12-31T23:30:00.500000000Z');
  });

  it('is nothing when it was cut off', () => {
    for (const text of ['', '2026-11-24T21:07:11.4', '2026-11-24T21:07:11.459993988+00:00 stdout', 'x y z w']) {
      expect(record(text)).toBeUndefined();
    }
  });
});

describe('lines of records', () => {
  it('are joined from parts, each stream by itself, whatever the bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((part) => Buffer.from(part.filter((byte) => byte !== 10)));
    fc.assert(
      fc.property(
        fc.array(bytes, { minLength: 1, maxLength: 5 }),
        fc.array(bytes, { minLength: 1, maxLength: 5 }),
        (out, err) => {
          const lines = new LineAssembler();
          const time = '2026-11-24T21:07:11.000000000Z';
          const got = [];
          for (let part = 0; part < Math.max(out.length, err.length); part++) {
            for (const [stream, parts] of [
              ['stdout', out],
              ['stderr', err],
            ] as const) {
              if (part >= parts.length) continue;
              const entry = lines.push({ time, stream, partial: part < parts.length - 1, content: parts[part]! });
              if (entry) got.push([entry.stream, entry.line.toString('latin1')]);
            }
          }
          const whole = (parts: readonly Buffer[]) => `${Buffer.concat(parts).toString('latin1')}\n`;
          expect(new Map(got as [string, string][])).toEqual(
            new Map([
              ['stdout', whole(out)],
              ['stderr', whole(err)],
            ]),
          );
          expect(lines.flush()).toEqual([]);
        },
      ),
    );
  });

  it('keep what has no newline until the end', () => {
    const lines = new LineAssembler();
    const time = '2026-11-24T21:07:11.000000000Z';
    expect(lines.push({ time, stream: 'stdout', partial: true, content: Buffer.from('prompt> ') })).toBeUndefined();
    expect(lines.flush()).toEqual([{ time, stream: 'stdout', line: Buffer.from('prompt> ') }]);
  });
});
