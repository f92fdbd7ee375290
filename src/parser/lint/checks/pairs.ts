import type { TextEdit } from '../../../diagnostics/index.ts';
import type { Instruction, KeyValue, Word } from '../../ir.ts';
import { isSpace } from '../../words/characters.ts';
import type { EscapeToken } from '../../words/shell-lex.ts';
import type { Check } from '../check.ts';
import { between, isContiguous, partOf } from '../finding.ts';

/** LegacyKeyValueFormat. */
export const pairChecks: Check = {
  file({ dockerfile }, report) {
    const check = (instruction: Instruction, about = instruction) => {
      if (instruction.kind === 'onbuild') return check(instruction.instruction, instruction);
      if ((instruction.kind !== 'env' && instruction.kind !== 'label') || !instruction.legacy) return;
      const [pair] = instruction.pairs;
      const fix = pair && asPair(pair, dockerfile.escape);
      const facts = {
        instruction: instruction.kind.toUpperCase(),
        name: pair?.key.text ?? 'NAME',
        replacement: pair && fix ? `${instruction.keyword.text} ${written(pair, fix)}` : undefined,
      };
      const span =
        pair && between(pair.key.span, pair.value.span) ? { ...pair.key.span, end: pair.value.span.end } : undefined;
      report('LegacyKeyValueFormat', about, facts, { span, fix });
    };
    for (const { instructions } of dockerfile.stages) for (const instruction of instructions) check(instruction);
  },
};

/**
 * Edits from `name some value` to `name="some value"`. A value with quotes or escapes keeps them, and gets its
 * blanks escaped instead. Undefined when the two do not stand on one line.
 */
function asPair({ key, value }: KeyValue, token: EscapeToken): TextEdit[] | undefined {
  const gap = between(key.span, value.span);
  if (!gap || [...key.text].some((char) => isSpace(char) || `"'\\\``.includes(char))) return undefined;
  const equals = { span: gap, newText: '=' };
  if (![...value.text].some(isSpace)) return isContiguous(value) ? [equals] : undefined;
  if (!/["'\\`]/.test(value.text)) {
    const { file, end } = value.span;
    return [
      { span: gap, newText: '="' },
      { span: { file, start: end, end }, newText: '"' },
    ];
  }
  if (!isContiguous(value)) return undefined;
  return [equals, ...unquotedBlanks(value, token)];
}

function unquotedBlanks(value: Word, token: EscapeToken): TextEdit[] {
  const edits: TextEdit[] = [];
  let quote = '';
  for (let at = 0; at < value.text.length; at++) {
    const char = value.text[at]!;
    if (char === token && quote !== "'") at++;
    else if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (quote === '' && isSpace(char)) edits.push({ span: partOf(value, at, at)!, newText: token });
  }
  return edits;
}

/** The pair as it reads after the edits. */
function written({ key, value }: KeyValue, edits: readonly TextEdit[]): string {
  const quote = edits[0]!.newText.slice(1);
  if (quote !== '') return `${key.text}="${value.text}"`;
  let text = value.text;
  for (const { span, newText } of edits.slice(1).reverse()) {
    const at = span.start.offset - value.span.start.offset;
    text = text.slice(0, at) + newText + text.slice(at);
  }
  return `${key.text}=${text}`;
}
