/**
 * The kinds of failure that Berth knows. `api/server` maps a kind to an HTTP status and `cli` to an exit code;
 * nobody reads message text to decide what to do.
 */
export type ErrorKind =
  | 'not-found'
  | 'invalid'
  | 'conflict'
  | 'not-modified'
  | 'unauthorized'
  | 'forbidden'
  | 'unavailable'
  | 'unsupported'
  | 'exhausted'
  | 'cancelled'
  | 'internal';

export interface ErrorDetail {
  /** What the user can do about it, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An expected failure: it has a kind, reads well without a stack trace, and may carry a hint. */
export class BerthError extends Error {
  readonly kind: ErrorKind;
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'BerthError';
    this.kind = kind;
    this.hint = detail.hint;
  }
}

/** True for a `BerthError`, also one that crossed a realm or a bundle. */
export function isBerthError(error: unknown): error is BerthError {
  return error instanceof Error && error.name === 'BerthError' && 'kind' in error;
}

/** Any thrown value as a `BerthError`; aborts become `cancelled`, a full disk `exhausted`, the rest `internal`. */
export function toBerthError(error: unknown): BerthError {
  if (isBerthError(error)) return error;
  if (!(error instanceof Error)) return new BerthError('internal', String(error));
  if (error.name === 'AbortError') return new BerthError('cancelled', 'cancelled', { cause: error });
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new BerthError('exhausted', `no space left on the disk that holds Berth's data (${error.message})`, {
      cause: error,
      hint: 'free space there, or set BERTH_ROOT to a folder on a larger disk',
    });
  }
  return new BerthError('internal', error.message, { cause: error });
}

/** Proves to the compiler that a union was switched exhaustively. */
export function assertNever(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`);
}
