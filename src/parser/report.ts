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
    });
  };
}
