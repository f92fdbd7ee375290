import { withoutDanglingEscape } from '../words/quoted-word.ts';
import { common, type Lower, reportMissing } from './context.ts';
import { wordPart } from './pairs.ts';

export const lowerArg: Lower = (node, context) => {
  const { report, name, spec } = context;
  if (node.args.length === 0) return reportMissing(node, context);
  const args = [];
  for (const argument of node.args) {
    const text = withoutDanglingEscape(argument.text, context.escape);
    const equals = text.indexOf('=');
    if (equals === 0) {
      report('dockerfile/blank-name', argument.span, { instruction: name, form: spec.form, example: spec.example });
    } else if (equals < 0) {
      args.push({ name: wordPart(node, argument, 0, argument.text.length, text) });
    } else {
      args.push({
        name: wordPart(node, argument, 0, equals),
        value: wordPart(node, argument, equals + 1, argument.text.length, text.slice(equals + 1)),
      });
    }
  }
  return { ...common(node), kind: 'arg', args };
};
