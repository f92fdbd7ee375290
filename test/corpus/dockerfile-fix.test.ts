import { describe, expect, it } from 'vitest';
import { hasErrors } from '../../src/diagnostics/index.ts';
import { checkText, expandWord, fixText, type Instruction, parseDockerfile } from '../../src/parser/index.ts';
import { type FrontendCase, jsonLines } from './dockerfile-corpus.ts';

const texts = jsonLines<FrontendCase>('frontend-cases.jsonl').map(({ id, dockerfile }) => ({ id, text: dockerfile }));
const fixable = texts.filter(({ text }) => checkText(text).findings.some(({ fix }) => fix));

describe('fixText', () => {
  it.each(fixable)('$id: mends all it can, once, and means the same', ({ text }) => {
    const { text: fixed, fixed: findings } = fixText(text);
    expect(findings.length).toBeGreaterThan(0);
    expect(fixText(fixed).text).toBe(fixed);
    expect(checkText(fixed).findings.filter(({ fix }) => fix)).toEqual([]);
    const before = parseDockerfile(text);
    const after = parseDockerfile(fixed);
    expect(hasErrors(after.diagnostics)).toBe(hasErrors(before.diagnostics));
    expect(after.value.stages.map(({ instructions }) => effects(instructions, after.value.escape))).toEqual(
      before.value.stages.map(({ instructions }) => effects(instructions, before.value.escape)),
    );
  });

  it('leaves a file alone that has nothing to mend', () => {
    for (const { text } of texts.filter((row) => !fixable.includes(row))) expect(fixText(text).text).toBe(text);
  });
});

/** What each instruction comes to, without how it is written. */
function effects(instructions: readonly Instruction[], token: '\\' | '`') {
  const expanded = (text: string) => expandWord(text, { escape: token, lookup: (name) => `<${name}>` }).value;
  return instructions
    .filter(({ kind }) => kind !== 'maintainer' && kind !== 'cmd' && kind !== 'entrypoint' && kind !== 'expose')
    .filter(
      (instruction) => !(instruction.kind === 'label' && instruction.pairs[0]?.key.text.includes('image.authors')),
    )
    .map((instruction) => {
      if (instruction.kind !== 'env' && instruction.kind !== 'label') return instruction.original.replace(/^\S+/, '');
      return instruction.pairs.map(({ key, value }) => [expanded(key.text), expanded(value.text)]);
    });
}
