import type { Word } from '../ir.ts';
import { plain, readStrings, warnAboutJson } from './command.ts';
import { common, type Lower, reportMissing } from './context.ts';

export const lowerExpose: Lower = (node, context) => {
  if (node.args.length === 0) return reportMissing(node, context);
  return { ...common(node), kind: 'expose', ports: node.args.map(plain) };
};

export const lowerVolume: Lower = (node, context) => {
  const paths = node.json ? readStrings(node, context) : node.args.map(plain);
  if (!paths) return null;
  if (paths.length === 0) return reportMissing(node, context);
  for (const path of paths) if (path.text.trim() === '') context.report('dockerfile/empty-volume', path.span);
  if (!node.json) warnAboutJson(textOf(node.args), context);
  return { ...common(node), kind: 'volume', paths };
};

/** The arguments as one text, to see whether they were meant as JSON. */
export function textOf(args: readonly Word[]): Word {
  const [first] = args;
  const last = args.at(-1);
  return {
    text: args.map(({ text }) => text).join(' '),
    span: { ...first!.span, end: last!.span.end },
  };
}
