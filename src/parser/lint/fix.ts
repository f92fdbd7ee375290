import type { Diagnostic, TextEdit } from '../../diagnostics/index.ts';
import { checkText } from './check-dockerfile.ts';
import type { CheckFinding } from './finding.ts';
import type { CheckOptions } from './survey.ts';

/** One fix may make room for the next, as a new keyword does; more rounds than rules are never needed. */
const MAX_ROUNDS = 10;

export interface FixedText {
  readonly text: string;
  /** What was mended, in the order of the rounds; places are those of the text at that time. */
  readonly fixed: readonly CheckFinding[];
}

/** Applies the fixes of all findings until there are none, and changes nothing else. Pure and idempotent. */
export function fixText(text: string, options: CheckOptions & { readonly file?: string } = {}): FixedText {
  const fixed: CheckFinding[] = [];
  let current = text;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const findings = checkText(current, options).findings.filter(({ fix }) => fix);
    if (findings.length === 0) break;
    const { text: next, applied } = applyFixes(current, findings);
    // A fix that breaks the file would be our mistake; the author's text is worth more.
    if (next === current || errorsIn(next, options) > errorsIn(current, options)) break;
    fixed.push(...applied);
    current = next;
  }
  return { text: current, fixed };
}

function errorsIn(text: string, options: CheckOptions): number {
  return checkText(text, options).parsed.diagnostics.filter(({ severity }) => severity === 'error').length;
}

/** Applies fixes that do not overlap with one taken before. */
function applyFixes<T extends Diagnostic>(text: string, diagnostics: readonly T[]): { text: string; applied: T[] } {
  const taken: TextEdit[] = [];
  const applied: T[] = [];
  const starts = new Set<number>();
  let last = -1;
  const ordered = diagnostics.filter(({ fix }) => fix && fix.length > 0).toSorted((a, b) => first(a) - first(b));
  for (const diagnostic of ordered) {
    const edits = diagnostic.fix!;
    if (first(diagnostic) < last || edits.some(({ span }) => starts.has(span.start.offset))) continue;
    for (const edit of edits) {
      taken.push(edit);
      starts.add(edit.span.start.offset);
      last = Math.max(last, edit.span.end.offset);
    }
    applied.push(diagnostic);
  }
  return { text: applyEdits(text, taken), applied };
}

/** Applies edits that do not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const pieces: string[] = [];
  let at = 0;
  for (const { span, newText } of edits.toSorted((a, b) => a.span.start.offset - b.span.start.offset)) {
    pieces.push(text.slice(at, span.start.offset), newText);
    at = span.end.offset;
  }
  return [...pieces, text.slice(at)].join('');
}

function first({ fix }: Diagnostic): number {
  return Math.min(...fix!.map(({ span }) => span.start.offset));
}
