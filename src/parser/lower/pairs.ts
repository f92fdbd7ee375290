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
  for (const [index, argument] of node.args.entries()) {
    const equals = argument.text.indexOf('=');
    if (equals < 0) {
      report('dockerfile/missing-equals', argument.span, { value: argument.text, instruction: name, line: index });
      // What follows a comment sign is no pair either: one message is enough.
      if (argument.text.startsWith('#')) break;
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

export function wordPart(
  node: InstructionNode,
  argument: Argument,
  start = 0,
  end = argument.text.length,
  text = argument.text.slice(start, end),
) {
  return node.logical.word(argument.offset + start, argument.offset + end, text);
}
