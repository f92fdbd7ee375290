import type { InstructionNode } from '../instruction-node.ts';
import type { Command, Word } from '../ir.ts';
import { common, type Lower, type LowerContext, reportMissing, sentenceSpan } from './context.ts';

/** Shell or exec form. Null when the array holds something else than strings. */
export function readCommand(node: InstructionNode, context: LowerContext): Command | null {
  if (node.json) {
    const argv = readStrings(node, context);
    return argv && { form: 'exec', argv };
  }
  const [text] = node.args;
  if (text) warnAboutJson(text, context);
  return { form: 'shell', text: text ? plain(text) : emptyAt(node) };
}

export const lowerCmd: Lower = (node, context) => {
  const command = readCommand(node, context);
  warnIfEmpty(node, context);
  return command && { ...common(node), kind: 'cmd', command };
};

export const lowerEntrypoint: Lower = (node, context) => {
  const command = readCommand(node, context);
  warnIfEmpty(node, context);
  return command && { ...common(node), kind: 'entrypoint', command };
};

export const lowerShell: Lower = (node, context) => {
  if (node.args.length === 0) return reportMissing(node, context);
  if (!node.json) {
    context.report('dockerfile/shell-form', node.args[0]!.span, { example: context.spec.example });
    return null;
  }
  const argv = readStrings(node, context);
  return argv && { ...common(node), kind: 'shell', argv };
};

/** The strings of an exec form; every other value is reported. */
export function readStrings(node: InstructionNode, { report }: LowerContext): Word[] | null {
  const wrong = node.args.filter((argument) => argument.token === 'value');
  for (const { span, text } of wrong) report('dockerfile/json-not-strings', span, { value: text });
  return wrong.length > 0 ? null : node.args.map(plain);
}

/** `RUN`, `CMD` or `ENTRYPOINT` alone is allowed by the reference, but hardly meant. */
export function warnIfEmpty(node: InstructionNode, { report, name, spec }: LowerContext): void {
  if (node.args.length > 0 || node.json || node.flags.some(({ unclosed }) => unclosed)) return;
  report('dockerfile/empty-command', sentenceSpan(node), { instruction: name, form: spec.form, example: spec.example });
}

/** An array of strings by its look; the first form leaves out the shell's own `[ "$a" = "b" ]`. */
const SURELY_AN_ARRAY = /^\[\s*(?:"[^"]*"|'[^']*')\s*[,\]].*\]$/s;
const MAYBE_AN_ARRAY = /^\[\s*["'\u201c\u201d\u2018\u2019].*\]$/s;

/** The reference falls back to the other form in silence, and people look for the reason in vain. */
export function warnAboutJson({ text, span }: Word, { report, name, spec }: LowerContext): void {
  if (!(name === 'RUN' ? SURELY_AN_ARRAY : MAYBE_AN_ARRAY).test(text)) return;
  const value = spec.syntax === 'command' ? 'a command line for the shell' : 'plain words';
  report('dockerfile/json-ignored', span, { instruction: name, value });
}

export function plain({ text, span }: Word): Word {
  return { text, span };
}

function emptyAt(node: InstructionNode): Word {
  const end = node.logical.text.trimEnd().length;
  return node.logical.word(end, end, '');
}
