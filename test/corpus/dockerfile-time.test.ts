import { describe, expect, it } from 'vitest';
import { checkText } from '../../src/parser/index.ts';

const repeat = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index));
const file = (lines: readonly string[]) => `FROM alpine AS first\n${lines.join('\n')}\n`;

/** Texts of a number of lines, each of a shape that a careless reader would take quadratic time for. */
const SHAPES: Readonly<Record<string, (lines: number) => string>> = {
  'a bit of everything': (lines) =>
    file(
      repeat(
        lines,
        (i) => ['RUN make $A', `ENV A${i % 90}=b`, 'COPY a b /c/', `LABEL l${i % 50} old`, 'ARG B=$A1'][i % 5]!,
      ),
    ),
  'one long instruction': (lines) => file(['RUN a \\', ...repeat(lines, () => '  && b \\'), '  c']),
  'one long ENV of undefined variables': (lines) =>
    file(['ENV A=b \\', ...repeat(lines, (i) => `  A${i}=$UNSET${i} \\`), '  B=c']),
  'a variable a line': (lines) => file(repeat(lines, (i) => `ENV NAME${i}=$NAME${i - 1}`)),
  'arguments and typos': (lines) =>
    file(repeat(lines, (i) => (i % 2 ? `ARG ARGUMENT${i} OTHER${i}=$ARGUMNET${i - 1}` : 'LABEL a=$ARGUMENT'))),
  stages: (lines) => file(repeat(lines, (i) => (i % 2 ? `COPY --from=s${i - 1} a b` : `FROM alpine AS s${i}`))),
  'blank lines in continuations': (lines) => file(['RUN a \\', ...repeat(lines, () => ''), '  b']),
  comments: (lines) => file([...repeat(lines, () => '# comment'), 'RUN a']),
  'a heredoc': (lines) => file(['COPY <<EOF /a', ...repeat(lines, () => 'text $A'), 'EOF']),
  'heredocs without end': (lines) => file(repeat(lines, (i) => `RUN <<E${i}`)),
  'unknown instructions': (lines) => file(repeat(lines, () => 'RNU a')),
  'commands that replace each other': (lines) => file(repeat(lines, () => 'CMD a')),
};

/** Shorter times than this say more about the machine, and about its clock for threads, than about the reader. */
const ENOUGH_MS = 60;
const MOST_LINES = 100_000;

/** Of the best times, taken in turn: a neighbour who fills the caches can only add to a time. */
function ratio(rounds: number, whole: string, half: string): number {
  // What is read quickly is read several times in a row.
  const times = Math.min(40, Math.ceil((2 * ENOUGH_MS) / Math.max(1, time(half, 2) / 2)));
  const best = { whole: Number.POSITIVE_INFINITY, half: Number.POSITIVE_INFINITY };
  // The first reading warms the compiler up, and the heap.
  time(whole, 1);
  for (let round = 0; round < rounds; round++) {
    best.half = Math.min(best.half, time(half, times));
    best.whole = Math.min(best.whole, time(whole, times));
  }
  return best.whole / best.half;
}

describe('time is linear: twice the lines take at most 2.3 times the time', () => {
  it.each(Object.entries(SHAPES))('%s', { timeout: 600_000, retry: 12 }, (_, text) => {
    let lines = 5_000;
    while (lines < MOST_LINES && time(text(lines), 1) < ENOUGH_MS) lines *= 2;
    const [half, whole] = [text(lines), text(2 * lines)];
    expect(ratio(5, whole!, half!)).toBeLessThanOrEqual(2.3);
  });

  it('up to 200,000 lines', { timeout: 600_000, retry: 12 }, () => {
    const [half, whole] = [100_000, 200_000].map(SHAPES['a bit of everything']!);
    expect(ratio(3, whole!, half!)).toBeLessThanOrEqual(2.3);
  });
});

/** Milliseconds of this thread's own work: what else runs on the machine does not count. */
function time(text: string, times: number): number {
  const began = process.threadCpuUsage();
  for (let count = 0; count < times; count++) checkText(text);
  const { user, system } = process.threadCpuUsage(began);
  return (user + system) / 1000;
}
