import type { ErrorKind } from '../../errors/index.ts';

/** The HTTP status of each kind of failure: the only place where the two meet. */
export const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  'not-modified': 304,
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  cancelled: 499,
  internal: 500,
  unsupported: 501,
  unavailable: 503,
  exhausted: 507,
};

const KIND_OF_STATUS = new Map(Object.entries(STATUS_OF_KIND).map(([kind, status]) => [status, kind as ErrorKind]));

/** The kind that an answer of any engine stands for. */
export function kindOfStatus(status: number): ErrorKind {
  return KIND_OF_STATUS.get(status) ?? (status >= 400 && status < 500 ? 'invalid' : 'internal');
}

/** Body of an error answer. `hint` is Berth's own; other clients skip it. */
export interface ErrorBody {
  readonly message: string;
  readonly hint?: string;
}
