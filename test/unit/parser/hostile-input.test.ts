// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles write variables like this
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Span } from '../../../src/diagnostics/index.ts';
import { createIgnoreMatcher, parseDockerfile, parseIgnore } from '../../../src/parser/index.ts';

const pieces = [
  'FROM a\n',
  'RUN ',
  'COPY ',
  'ADD ',
  'ENV ',
  'LABEL ',
  'ARG ',
  'CMD ',
  'HEALTHCHECK ',
  'ONBUILD ',
  'SHELL ',
  'VOLUME ',
  'EXPOSE ',
  'USER ',
  '--mount=',
  '--from=',
  'type=cache,',
  'target="',
  '<<EOF',
  'EOF\n',
  '<<-',
  '\\\n',
  '`\n',
  '\\',
  '`',
  '"',
  "'",
  '[',
  ']',
  '["a",',
  '${',
  '}',
  '$',
  ':-',
  '#',
  '//',
  '=',
  ' ',
  '\t',
  '\n',
  '\r\n',
  '\u0000',
  '\ufeff',
  '☃',
  '😀',
  '# escape=`\n',
  '# syntax=x\n',
  'CMD',
  'NONE',
  'AS',
  '--',
  'x',
]; // prettier-ignore
const dockerfiles = fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join(''));

function* spansIn(value: unknown): Generator<Span> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'span') yield inner as Span;
    else yield* spansIn(inner);
  }
}

describe('any text', () => {
  it('is parsed without throwing, and spans stay inside the text', () => {
    fc.assert(
      fc.property(fc.oneof(dockerfiles, fc.string({ maxLength: 200, unit: 'binary' })), (text) => {
        const { value, diagnostics } = parseDockerfile(text);
        for (const span of spansIn({ value, diagnostics })) {
          expect(span.start.offset).toBeGreaterThanOrEqual(0);
          expect(span.end.offset).toBeGreaterThanOrEqual(span.start.offset);
          expect(span.end.offset).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('makes a matcher that answers', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab/*?[]!\\-^.#\n ') }), fc.string(), (text, path) => {
        const matcher = createIgnoreMatcher(parseIgnore(text));
        expect(typeof matcher.ignores(path)).toBe('boolean');
        if (matcher.canSkipDirectory(path)) expect(matcher.ignores(`${path}/x`)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('large text', () => {
  const many = 20_000;
  it.each([
    ['nested variables', `FROM a\nENV A=${'${B:-'.repeat(many)}\n`],
    ['nested ONBUILD', `FROM a\n${'ONBUILD '.repeat(many)}RUN x\n`],
    ['nested JSON', `FROM a\nCMD [${'['.repeat(many)}${']'.repeat(many)}]\n`],
    ['open brackets', `FROM a\nCMD ${'['.repeat(many)}\n`],
    ['open quotes', `FROM a\nENV A=${'"\''.repeat(many)}\n`],
    ['open arithmetic', `FROM a\nRUN ${'$(('.repeat(many)} <<EOF\nEOF\n`],
    ['heredocs without an end', `FROM a\n${'RUN <<X\n X\n'.repeat(many)}`],
    ['many heredocs on a line', `FROM a\nRUN ${'<<X '.repeat(many)}\n`],
    ['one long continuation', `FROM a\nRUN x ${'\\\n x'.repeat(many)}\n`],
    ['many flags', `FROM a\nCOPY ${'--x=1 '.repeat(many)}a b\n`],
    ['many words', `FROM a\nEXPOSE ${'80 '.repeat(many)}\n`],
    ['many mount fields', `FROM a\nRUN --mount=${'x=1,'.repeat(many)} x\n`],
    ['blanks in a directive', `# syntax=${' '.repeat(many)}x${' '.repeat(many)}y\nFROM a\n`],
  ])('%s ends soon', (_, text) => {
    const start = performance.now();
    parseDockerfile(text);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
