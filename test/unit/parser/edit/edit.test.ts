import { describe, expect, it } from 'vitest';
import { applyEdits, checkText, completeAt, hoverAt, quickFixesAt } from '../../../../src/parser/index.ts';

/** `|` marks the place. */
function at(marked: string): [text: string, offset: number] {
  const offset = marked.indexOf('|');
  return [marked.slice(0, offset) + marked.slice(offset + 1), offset];
}

const completions = (marked: string) => completeAt(...at(marked)).map(({ text }) => text);

describe('completeAt', () => {
  it.each([
    ['WOR|', ['WORKDIR']],
    ['FROM alpine\nco|', ['copy']],
    ['FROM alpine\nONBUILD WO|', ['WORKDIR']],
    ['FROM alpine\nCOPY --ch|', ['--chown=', '--chmod=']],
    ['FROM alpine\nCOPY --li|', ['--link']],
    ['FROM alpine AS build\nFROM busybox AS base\nCOPY --from=b|', ['build', 'base']],
    ['FROM alpine AS build\nFROM bu|', ['build']],
    ['FROM alpine A|', ['AS']],
    ['FROM alpine\nRUN --mount=type=ca|', ['cache']],
    ['FROM alpine\nRUN --mount=type=cache,sh|', ['sharing=']],
    ['FROM alpine\nRUN --mount=type=cache,sharing=l|', ['locked']],
    ['FROM alpine AS b\nRUN --mount=type=bind,from=|', ['b']],
    ['ARG VERSION=1\nFROM alpine:$VER|', ['VERSION']],
    ['FROM alpine\nENV APP_HOME=/a APP_NAME=b\nWORKDIR ${APP_|', ['APP_HOME', 'APP_NAME']],
    ['FROM alpine AS base\nARG ONE=1\nFROM base\nLABEL \\\n  a=$O|', ['ONE']],
    ['# WOR|', []],
    ['FROM alpine\nRUN <<EOF\nWOR|', []],
    ['FROM alpine\nRUN echo $PA|', []],
  ])('%j', (marked, expected) => {
    expect(completions(marked)).toEqual(expected);
  });

  it('replaces what stands there', () => {
    const [text, offset] = at('FROM alpine\nWORK| /app\n');
    const [completion] = completeAt(text, offset);
    expect(applyEdits(text, [{ span: completion!.span, newText: completion!.text }])).toBe(
      'FROM alpine\nWORKDIR /app\n',
    );
  });
});

describe('hoverAt', () => {
  it('tells the form of an instruction', () => {
    expect(hoverAt(...at('FROM alpine\nWORK|DIR /app'))?.facts[0]).toBe('WORKDIR PATH');
  });

  it('tells the value of a variable, as it is at that place', () => {
    const file = 'FROM alpine\nENV A=1\nWORKDIR /x/$|A\nENV A=2\n';
    expect(hoverAt(...at(file))?.facts).toEqual(['A=1']);
    expect(hoverAt(...at('FROM alpine\nWORKDIR $|NOPE'))?.facts).toEqual(['NOPE is not defined here']);
    expect(hoverAt(...at('ARG V=3\nFROM alpine:$|V'))?.facts).toEqual(['V=3']);
  });

  it('leads from a stage name to its FROM', () => {
    const file = 'FROM alpine AS build\nFROM scratch\nCOPY --from=bu|ild a b\n';
    expect(hoverAt(...at(file))?.facts).toEqual(['line 1: FROM alpine AS build']);
  });

  it('has nothing to say elsewhere', () => {
    expect(hoverAt(...at('FROM alpine\nRUN ec|ho'))).toBeUndefined();
    expect(hoverAt('', 0)).toBeUndefined();
  });
});

describe('quickFixesAt', () => {
  it('mends a typo', () => {
    const [text, offset] = at('FROM alpine\nrnu| make\n');
    const [fix] = quickFixesAt(text, offset);
    expect(fix?.title).toBe('did you mean RUN?');
    expect(applyEdits(text, fix!.edits)).toBe('FROM alpine\nrun make\n');
  });

  it('offers the fix of a check, and to switch it off for this instruction', () => {
    const [text, offset] = at('FROM alpine\nENV A|BC some value\nENV D x\n');
    const [mend, skip] = quickFixesAt(text, offset);
    expect(applyEdits(text, mend!.edits)).toBe('FROM alpine\nENV ABC="some value"\nENV D x\n');
    const skipped = applyEdits(text, skip!.edits);
    expect(skipped).toBe('FROM alpine\n# check=skip=LegacyKeyValueFormat\nENV ABC some value\nENV D x\n');
    expect(checkText(skipped).findings.map(({ span }) => span.start.line)).toEqual([4]);
  });
});
