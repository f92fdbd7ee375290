import { type BerthError, toBerthError } from '../errors/index.ts';
import type { OutputStream } from './environment.ts';
import { paintFor } from './paint.ts';

/**
 * Prints a failure for people: `berth: message`, then what can be done about it. Text of strangers (an engine's
 * message) keeps its lines but loses other control characters.
 */
export function printError(
  stderr: OutputStream,
  error: unknown,
  options: { readonly debug?: boolean } = {},
): BerthError {
  const failure = toBerthError(error);
  const paint = paintFor(stderr);
  stderr.write(`${paint('berth:', 'error')} ${printable(failure.message)}\n`);
  if (failure.hint) stderr.write(`  ${paint('hint:', 'hint')} ${printable(failure.hint)}\n`);
  if (options.debug && failure.stack) stderr.write(`${failure.stack}\n`);
  return failure;
}

function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}
