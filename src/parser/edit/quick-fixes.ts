import type { Span, TextEdit } from '../../diagnostics/index.ts';
import type { Dockerfile, Instruction } from '../ir.ts';
import { checkText } from '../lint/check-dockerfile.ts';
import type { CheckOptions } from '../lint/survey.ts';

/** A change that an editor offers for a place. */
export interface QuickFix {
  readonly title: string;
  /** The code that it is about. */
  readonly code: string;
  readonly edits: readonly TextEdit[];
}

/** The fixes for what is found at a place: of the finding itself, and switching the check off for the instruction. Pure. */
export function quickFixesAt(text: string, offset: number, options: CheckOptions = {}): readonly QuickFix[] {
  const { diagnostics, findings, parsed } = checkText(text, options);
  const here = ({ span }: { readonly span: Span }) => span.start.offset <= offset && offset <= span.end.offset;
  const fixes = diagnostics
    .filter(here)
    .flatMap(({ code, fix, hint, message }): QuickFix[] => (fix ? [{ title: hint ?? message, code, edits: fix }] : []));
  const skips = findings.filter(here).flatMap(({ code, rule, span }): QuickFix[] => {
    const about = instructionAt(parsed.value, span.start.offset);
    if (!about) return [];
    const start = about.span.start.offset - about.span.start.column + 1;
    const edit = { span: parsed.source.span(start, start), newText: `# check=skip=${rule}\n` };
    return [{ title: `skip ${rule} here`, code, edits: [edit] }];
  });
  return [...fixes, ...skips];
}

function instructionAt({ globalArgs, stages }: Dockerfile, offset: number): Instruction | undefined {
  const all: readonly Instruction[] = [
    ...globalArgs,
    ...stages.flatMap(({ from, instructions }): readonly Instruction[] => [from, ...instructions]),
  ];
  return all.findLast(({ span }) => span.start.offset <= offset);
}
