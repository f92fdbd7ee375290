import { BerthError } from '../../errors/index.ts';

/** The command line itself is wrong. */
export class UsageError extends BerthError {
  readonly exitCode: number;
  /** The command as typed, without `berth`: whose help to point at. */
  readonly command: string;

  constructor(
    message: string,
    detail: { readonly exitCode: number; readonly command: string; readonly hint?: string | undefined },
  ) {
    super('invalid', message, detail.hint ? { hint: detail.hint } : {});
    this.exitCode = detail.exitCode;
    this.command = detail.command;
  }
}
