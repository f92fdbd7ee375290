import type { Diagnostic, Position, Span, TextEdit } from '../../diagnostics/index.ts';
import type { Instruction, Word } from '../ir.ts';
import { type CheckSettings, isEnabled, skippedHere } from './directive.ts';
import { type LintRule, lintRules, type RuleFacts, type RuleName } from './rules.ts';

/** A diagnostic of a build check. Its code is `check/` and the rule's name. */
export interface CheckFinding extends Diagnostic {
  readonly rule: RuleName;
  /** The words of the reference. */
  readonly detail: string;
  /** The lines of the instruction that it is about, each as a range of its own, as the reference gives them. */
  readonly lines: readonly (readonly [first: number, last: number])[];
}

export interface FindingPlace {
  /** Where the caret goes; the keyword when not given. */
  readonly span?: Span | undefined;
  readonly fix?: readonly TextEdit[] | undefined;
  /** The lines to tell, when they are not all of the instruction's. */
  readonly lines?: CheckFinding['lines'];
}

/** Takes a finding about an instruction, unless the rule is switched off for the file or for the instruction. */
export type ReportFinding = (rule: RuleName, about: Instruction, facts: RuleFacts, place?: FindingPlace) => void;

export function createFindingReport(findings: CheckFinding[], settings: CheckSettings): ReportFinding {
  return (rule, about, facts, { span = about.keyword.span, fix, lines = linesOf(about.span) } = {}) => {
    if (!isEnabled(rule, settings)) return;
    const skipped = skippedHere(about);
    if (skipped === 'all' || skipped.has(rule)) return;
    const row: LintRule = lintRules[rule];
    findings.push({
      code: `check/${rule}`,
      rule,
      severity: settings.error ? 'error' : 'warning',
      message: row.message(facts),
      hint: row.hint(facts),
      detail: row.detail(facts),
      span,
      lines,
      ...(fix && fix.length > 0 ? { fix } : {}),
    });
  };
}

/** Kept by instruction: a long one may have many findings. */
const knownLines = new WeakMap<Span, CheckFinding['lines']>();

function linesOf(span: Span): CheckFinding['lines'] {
  const known = knownLines.get(span);
  if (known) return known;
  const first = span.start.line;
  const lines = Array.from(
    { length: span.end.line - first + 1 },
    (_, index) => [first + index, first + index] as const,
  );
  knownLines.set(span, lines);
  return lines;
}

/** The place of a part of a word; undefined when the word is not written in one piece. */
export function partOf(word: Word, start: number, end: number): Span | undefined {
  if (!isContiguous(word)) return undefined;
  return { file: word.span.file, start: shifted(word.span.start, start), end: shifted(word.span.start, end) };
}

/** True when the word stands in the file exactly as in its text. */
export function isContiguous({ text, span: { start, end } }: Word): boolean {
  return start.line === end.line && end.offset - start.offset === text.length;
}

function shifted({ offset, line, column }: Position, by: number): Position {
  return { offset: offset + by, line, column: column + by };
}

/** The gap between two words of one line. */
export function between(before: Span, after: Span): Span | undefined {
  if (before.end.line !== after.start.line) return undefined;
  return { file: before.file, start: before.end, end: after.start };
}

export function replace(word: Word, newText: string): TextEdit[] | undefined {
  return isContiguous(word) ? [{ span: word.span, newText }] : undefined;
}
