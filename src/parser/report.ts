import type { Diagnostic, Span } from '../diagnostics/index.ts';
import { type CodeFacts, type DiagnosticCode, type DockerfileCode, diagnosticCodes } from './codes.ts';

export type Report = (code: DockerfileCode, span: Span, facts?: CodeFacts) => void;

/** A sink of diagnostics; texts come from the table in `codes.ts`. */
export function createReport(diagnostics: Diagnostic[]): Report {
  return (code, span, facts = {}) => {
    const row: DiagnosticCode = diagnosticCodes[code];
    const hint = row.hint(facts);
    diagnostics.push({
      code,
      severity: row.severity,
      message: row.message(facts),
      span,
      ...(hint === undefined ? {} : { hint }),
      ...(facts.nearest && REPLACED.includes(code) ? { fix: [{ span, newText: inCaseOf(code, facts) }] } : {}),
    });
  };
}

/** Codes whose place is exactly the word that was misspelt. */
const REPLACED: readonly DockerfileCode[] = [
  'dockerfile/unknown-instruction',
  'dockerfile/unknown-mount-type',
  'dockerfile/invalid-network',
  'dockerfile/invalid-security',
];

function inCaseOf(code: DockerfileCode, { name = '', nearest = '' }: CodeFacts): string {
  const isLower = code === 'dockerfile/unknown-instruction' && name === name.toLowerCase();
  return isLower ? nearest.toLowerCase() : nearest;
}
