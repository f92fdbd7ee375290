import type { BerthError, ErrorKind } from '../errors/index.ts';

/** Every exit code of the CLI that is not a container's own. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  /** The engine or a flag failed before a command could run. */
  engine: 125,
  /** The command in the container cannot be executed. */
  notExecutable: 126,
  /** There is no such command in the container. */
  notFound: 127,
  /** Stopped by Ctrl-C: 128 and the number of SIGINT. */
  interrupted: 130,
} as const;

/** What starting a container's command failed of, for `run` and `start`. */
const START_FAILURES: Partial<Readonly<Record<ErrorKind, number>>> = { 'not-found': 127, forbidden: 126 };
const NOT_FOUND_TEXT = /executable file not found|no such file or directory|not found in \$?PATH/i;
const NOT_EXECUTABLE_TEXT = /permission denied|is a directory/i;

/**
 * Exit code of `run` when its start request failed. Berth's engine tells by the kind; other engines answer 400 for
 * everything and only their text tells.
 */
export function startFailureCode(error: BerthError): number {
  const byKind = START_FAILURES[error.kind];
  if (byKind !== undefined) return byKind;
  if (NOT_FOUND_TEXT.test(error.message)) return exitCodes.notFound;
  return NOT_EXECUTABLE_TEXT.test(error.message) ? exitCodes.notExecutable : exitCodes.engine;
}

/** Ends a command with a code of its own; everything worth saying has been printed. */
export class ExitStatus extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit status ${code}`);
    this.name = 'ExitStatus';
    this.code = code;
  }
}
