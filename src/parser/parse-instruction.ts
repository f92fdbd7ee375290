import { type Diagnostic, SourceText } from '../diagnostics/index.ts';
import type { InstructionName } from './instruction-table.ts';
import type { Instruction } from './ir.ts';
import { LineReader } from './lex/line-reader.ts';
import { lowerInstruction } from './lower/lower.ts';
import { readInstructions } from './read-instructions.ts';
import { createReport } from './report.ts';
import type { EscapeToken } from './words/shell-lex.ts';

export interface InstructionOptions {
  /** Name of the text in spans and messages, for example `--change`. */
  readonly file?: string;
  readonly escape?: EscapeToken;
  /** Instructions that may stand here; all when not given. */
  readonly allowed?: readonly InstructionName[];
}

export interface ParsedInstruction {
  /** Null when there is an error. */
  readonly value: Instruction | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly source: SourceText;
}

/** Parses one instruction that stands alone: an ONBUILD trigger of a base image, `commit --change`, `import -c`. */
export function parseInstruction(text: string, options: InstructionOptions = {}): ParsedInstruction {
  const source = new SourceText(options.file ?? 'instruction', text);
  const diagnostics: Diagnostic[] = [];
  const report = createReport(diagnostics);
  const reader = new LineReader(source);
  reader.escape = options.escape ?? '\\';
  const nodes = [...readInstructions(reader, report)];
  const [node] = nodes;
  if (!node || nodes.length > 1) report('dockerfile/not-one-instruction', source.span(0, text.length));
  let value: Instruction | null = null;
  if (node) {
    if (node.name && options.allowed && !options.allowed.includes(node.name)) {
      report('dockerfile/instruction-not-allowed', node.keyword.span, {
        instruction: node.name,
        allowed: options.allowed,
      });
    }
    value = lowerInstruction(node, { report, escape: reader.escape });
  }
  const broken = diagnostics.some(({ severity }) => severity === 'error');
  return { value: broken ? null : value, diagnostics, source };
}
