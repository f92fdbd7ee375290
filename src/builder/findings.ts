import type { Diagnostic, Span } from '../diagnostics/index.ts';
import { BerthError, type ErrorKind } from '../errors/index.ts';

/**
 * Every code that the builder reports, with its severity. Texts are made where the facts are known.
 * The parser's own codes are `dockerfile/...`; these need the scope, the images or the context.
 */
export const findingCodes = {
  'build/bad-word': 'error',
  'build/blank-base': 'error',
  'build/bad-reference': 'error',
  'build/bad-platform': 'error',
  'build/base-not-found': 'error',
  'build/unknown-target': 'error',
  'build/unknown-stage': 'error',
  'build/stage-cycle': 'error',
  'build/bad-signal': 'error',
  'build/bad-port': 'error',
  'build/port-host-part': 'warning',
  'build/bad-chmod': 'error',
  'build/bad-mount': 'error',
  'build/bad-value': 'error',
  'build/bad-epoch': 'error',
  'build/bad-trigger': 'error',
  'build/not-allowed': 'error',
  'build/no-context': 'error',
  'build/source-not-found': 'error',
  'build/bad-destination': 'error',
  'build/run-failed': 'error',
  'build/step-failed': 'error',
} as const satisfies Record<string, Diagnostic['severity']>;

export type FindingCode = keyof typeof findingCodes;

export function finding(code: FindingCode, span: Span, message: string, hint?: string): Diagnostic {
  return { code, severity: findingCodes[code], message, span, ...(hint === undefined ? {} : { hint }) };
}

/** An expected failure that knows its place in the Dockerfile, so that it can be shown with a code frame. */
export class BuildFailure extends BerthError {
  readonly diagnostic: Diagnostic;

  constructor(
    kind: ErrorKind,
    diagnostic: Diagnostic,
    detail: { readonly message?: string; readonly cause?: unknown } = {},
  ) {
    super(kind, detail.message ?? diagnostic.message, {
      ...(diagnostic.hint === undefined ? {} : { hint: diagnostic.hint }),
      ...(detail.cause === undefined ? {} : { cause: detail.cause }),
    });
    this.diagnostic = diagnostic;
  }
}
