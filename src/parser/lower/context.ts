import { nearest, type Span } from '../../diagnostics/index.ts';
import type { InstructionNode } from '../instruction-node.ts';
import { type InstructionName, type InstructionSpec, instructions } from '../instruction-table.ts';
import type { Instruction, Word } from '../ir.ts';
import type { Report } from '../report.ts';
import type { EscapeToken } from '../words/shell-lex.ts';

/** What turns one instruction's node into IR. Null when too little is there to make sense of it. */
export type Lower = (node: InstructionNode, context: LowerContext) => Instruction | null;

export interface LowerContext {
  readonly report: Report;
  readonly escape: EscapeToken;
  readonly name: InstructionName;
  readonly spec: InstructionSpec;
  readonly flags: Flags;
}

/** The fields that all instructions share. */
export function common(node: InstructionNode) {
  const { logical, keyword, comments, emptyLines, heredocs, offset } = node;
  return {
    span: instructionSpan(node),
    keyword,
    comments,
    ...(emptyLines.length > 0 ? { emptyLines } : {}),
    heredocs,
    original: offset === 0 ? logical.text : logical.text.slice(offset),
  };
}

function instructionSpan(node: InstructionNode): Span {
  return node.logical.source.span(node.keyword.span.start.offset, node.endOffset);
}

/** From the keyword to the end of its text: where something is missing. */
export function sentenceSpan(node: InstructionNode): Span {
  return node.logical.span(node.offset, node.logical.text.trimEnd().length);
}

/** The flags of an instruction by name, checked against the table. */
export interface Flags {
  readonly word: (name: string) => Word | undefined;
  readonly words: (name: string) => readonly Word[];
  /** The flag's value as a boolean; undefined when it is not given. */
  readonly boolean: (name: string) => boolean | undefined;
}

export function readFlags(node: InstructionNode, name: InstructionName, report: Report): Flags {
  const specs = instructions[name].flags;
  const found = new Map<string, Word[]>();
  for (const flag of node.flags) {
    const spec = Object.hasOwn(specs, flag.name) ? specs[flag.name] : undefined;
    const { span } = flag.word;
    const { name: flagName, value } = flag;
    if (flag.unclosed) report('dockerfile/unclosed-flag', span, { name: flagName });
    else if (!spec) {
      const allowed = Object.keys(specs);
      report('dockerfile/unknown-flag', span, {
        name: flagName,
        instruction: name,
        allowed,
        nearest: nearest(flagName, allowed),
      });
    } else if (spec.type !== 'list' && found.has(flagName)) {
      report('dockerfile/duplicate-flag', span, { name: flagName });
    } else if (value === undefined && spec.type !== 'boolean') {
      report('dockerfile/flag-needs-value', span, { name: flagName, example: spec.example });
    } else if (value !== undefined && spec.type === 'boolean' && !/^(true|false)$/i.test(value.text)) {
      const code = value.text === '' ? 'dockerfile/flag-needs-value' : 'dockerfile/flag-needs-boolean';
      report(code, span, { name: flagName, value: value.text, example: spec.example });
    } else {
      const word = value ?? { text: 'true', span };
      found.set(flagName, [...(found.get(flagName) ?? []), word]);
    }
  }
  return {
    word: (flagName) => found.get(flagName)?.[0],
    words: (flagName) => found.get(flagName) ?? [],
    boolean: (flagName) => {
      const word = found.get(flagName)?.[0];
      return word && word.text.toLowerCase() === 'true';
    },
  };
}

/** `{ key: word }` when there is a word: `exactOptionalPropertyTypes` knows no present-but-undefined field. */
export function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

/** Reports a missing argument with the right form. */
export function reportMissing(node: InstructionNode, { report, name, spec }: LowerContext): null {
  report('dockerfile/missing-arguments', sentenceSpan(node), {
    instruction: name,
    count: node.args.length,
    form: spec.form,
    example: spec.example,
  });
  return null;
}
