import type { Argument, InstructionNode } from '../instruction-node.ts';
import type { KeyValue } from '../ir.ts';
import { withoutDanglingEscape } from '../words/quoted-word.ts';
import { common, type Lower, type LowerContext, reportMissing } from './context.ts';

export const lowerEnv: Lower = (node, context) => {
  const read = readPairs(node, context);
  return read && { ...common(node), kind: 'env', ...read };
};

export const lowerLabel: Lower = (node, context) => {
  const read = readPairs(node, context);
  return read && { ...common(node), kind: 'label', ...read };
};

/** `k=v k2=v2`, or the old form `k rest of line`. */
function readPairs(node: InstructionNode, context: LowerContext): { pairs: KeyValue[]; legacy: boolean } | null {
  const { report, name, spec } = context;
  const [first, value] = node.args;
  if (!first) return reportMissing(node, context);
  if (first.token === 'legacy-key') {
    if (value) return { pairs: [{ key: wordPart(node, first), value: wordPart(node, value) }], legacy: true };
    report('dockerfile/missing-value', first.span, { name: first.text, instruction: name });
    return null;
  }
  const pairs: KeyValue[] = [];
  for (let index = 0; index < node.args.length; index++) {
    const argument = node.args[index]!;
    const equals = argument.text.indexOf('=');
    if (equals < 0) {
      index = reportBare(node, index, context);
    } else if (equals === 0) {
      report('dockerfile/blank-name', argument.span, { instruction: name, form: spec.form, example: spec.example });
    } else {
      const text = withoutDanglingEscape(argument.text, context.escape);
      pairs.push({
        key: wordPart(node, argument, 0, equals),
        value: wordPart(node, argument, equals + 1, argument.text.length, text.slice(equals + 1)),
      });
    }
  }
  return { pairs, legacy: false };
}

/** Tells once of words without an equals sign that follow each other. @returns the index of the last of them */
function reportBare({ args }: InstructionNode, index: number, { report, name }: LowerContext): number {
  const argument = args[index]!;
  const { text, span } = argument;
  const next = args[index + 1]?.text;
  if (next?.startsWith('=')) {
    const value = next === '=' ? args[index + 2]?.text : next.slice(1);
    report('dockerfile/spaced-equals', span, { name: text, example: `${text}=${value ?? 'VALUE'}` });
    return next === '=' && value !== undefined && !value.includes('=') ? index + 2 : index + 1;
  }
  let last = index;
  while (last + 1 < args.length && !args[last + 1]!.text.includes('=')) last++;
  // A word that a blank before its `=` follows is a name and no part of the value.
  if (args[last + 1]?.text.startsWith('=') && last > index) last--;
  const words = args.slice(index, last + 1).map((word) => word.text);
  const before = index > 0 ? args[index - 1]!.text : '';
  const example = /^[^"']+=[^"']*$/.test(before) && !/["']/.test(words.join('')) ? inQuotes(before, words) : undefined;
  report('dockerfile/missing-equals', span, { value: text, instruction: name, ...(example ? { example } : {}) });
  // What follows a comment sign is no pair either.
  return text.startsWith('#') ? args.length : last;
}

function inQuotes(pair: string, words: readonly string[]): string {
  const equals = pair.indexOf('=');
  return `${pair.slice(0, equals)}="${[pair.slice(equals + 1), ...words].join(' ')}"`;
}

export function wordPart(
  node: InstructionNode,
  argument: Argument,
  start = 0,
  end = argument.text.length,
  text = argument.text.slice(start, end),
) {
  return node.logical.word(argument.offset + start, argument.offset + end, text);
}
