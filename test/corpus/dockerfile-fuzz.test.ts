import { describe, expect, it } from 'vitest';
import { hasErrors, type Span } from '../../src/diagnostics/index.ts';
import { checkText, fixText, parseDockerfile, printDockerfile } from '../../src/parser/index.ts';
import { type FrontendCase, jsonLines } from './dockerfile-corpus.ts';
import { meaningOf } from './dockerfile-meaning.ts';
import { mutate, random } from './mutations.ts';

const texts = jsonLines<FrontendCase>('frontend-cases.jsonl').map(({ dockerfile }) => dockerfile);
const count = Number(process.env['FUZZ_COUNT'] ?? 100_000);
const seed = Number(process.env['FUZZ_SEED'] ?? 1);

describe(`${count} mutations of the corpus, seed ${seed}`, () => {
  it('never throw, keep spans inside the text, print and fix to what reads the same', { timeout: 600_000 }, () => {
    const next = random(seed);
    for (let round = 0; round < count; round++) {
      const text = mutate(texts, next);
      try {
        probe(text);
      } catch (error) {
        throw new Error(`round ${round}: ${JSON.stringify(text)}`, { cause: error });
      }
    }
  });
});

function probe(text: string): void {
  const { parsed, diagnostics } = checkText(text);
  for (const { span, related = [], fix = [] } of diagnostics) {
    for (const inner of [span, ...[...related, ...fix].map((place) => place.span)]) inside(inner, text);
  }
  JSON.stringify(parsed.value, (_, value) => {
    if (isSpan(value)) inside(value, text);
    return value;
  });
  if (hasErrors(parsed.diagnostics)) return;
  const printed = printDockerfile(parsed.value);
  const again = parseDockerfile(printed);
  expect(hasErrors(again.diagnostics), printed).toBe(false);
  const [found, wanted] = [meaningOf(again.value), meaningOf(parsed.value)];
  if (JSON.stringify(found) !== JSON.stringify(wanted)) expect(found).toEqual(wanted);
  if (!diagnostics.some(({ fix }) => fix)) return;
  const fixed = fixText(text).text;
  expect(fixText(fixed).text).toBe(fixed);
  expect(checkText(fixed).findings.filter(({ fix }) => fix)).toEqual([]);
}

function inside({ start, end }: Span, text: string): void {
  const ordered = start.offset >= 0 && start.offset <= end.offset && end.offset <= text.length && start.line >= 1;
  if (!ordered) expect.fail(`span ${JSON.stringify({ start, end })} is outside`);
}

function isSpan(value: unknown): value is Span {
  return typeof value === 'object' && value !== null && 'start' in value && 'end' in value;
}
