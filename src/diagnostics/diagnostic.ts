import type { Span } from './span.ts';

export type Severity = 'error' | 'warning' | 'info';

/** A change of a text: what the span covers becomes `newText`. */
export interface TextEdit {
  readonly span: Span;
  readonly newText: string;
}

/** A finding about a source text. It is data: `frame.ts` prints it, the API sends it, an editor underlines it. */
export interface Diagnostic {
  /** Stable code, `area/what`, as `dockerfile/unknown-flag`. One table per area lists them all. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence without a full stop: what is wrong. */
  readonly message: string;
  readonly span: Span;
  /** What to write instead. */
  readonly hint?: string;
  /** Other places that explain this one. */
  readonly related?: readonly { readonly message: string; readonly span: Span }[];
  /** Edits that mend it mechanically, without overlaps; applying them twice changes nothing more. */
  readonly fix?: readonly TextEdit[];
}

/** A value and what there is to say about how it was read. Values are best effort when an error is among them. */
export interface Parsed<T> {
  readonly value: T;
  readonly diagnostics: readonly Diagnostic[];
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}
