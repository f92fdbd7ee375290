import { BerthError } from '../../errors/index.ts';
import type { CliEnvironment } from '../environment.ts';
import { ExitStatus, exitCodes } from '../exit-codes.ts';

const INTERRUPT = '\u0003';
const END = '\u0004';
const KILL_LINE = '\u0015';
const BACKSPACE = ['\u007f', '\b'];

/**
 * Asks at a terminal for one line. Nothing that is typed shows when it is `hidden`. The terminal is given back as it was,
 * also after Ctrl-C, which ends the command.
 * @throws BerthError `invalid` when stdin is no terminal
 */
export async function prompt(
  question: string,
  { stdin, stdout, signals }: Pick<CliEnvironment, 'stdin' | 'stdout' | 'signals'>,
  { hidden = false } = {},
): Promise<string> {
  if (!stdin.isTTY) throw new BerthError('invalid', 'Cannot perform an interactive login from a non TTY device');
  stdout.write(question);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let line = '';
  const interrupted = () => reject(new ExitStatus(exitCodes.interrupted));
  const onData = (chunk: Buffer | string) => {
    const keys = [...chunk.toString()];
    for (const [at, key] of keys.entries()) {
      if (key === '\r' || key === '\n') {
        // What was typed ahead answers the next question.
        const rest = keys.slice(at + 1).join('');
        stdin.off('data', onData).pause();
        if (rest !== '') stdin.unshift(rest);
        return resolve(line);
      }
      if (key === INTERRUPT) return interrupted();
      if (key === END) {
        if (line === '') return resolve(line);
      } else if (key === KILL_LINE) {
        if (!hidden) stdout.write('\b \b'.repeat([...line].length));
        line = '';
      } else if (BACKSPACE.includes(key)) {
        if (!hidden && line !== '') stdout.write('\b \b');
        line = [...line].slice(0, -1).join('');
      } else if (key >= ' ') {
        line += key;
        if (!hidden) stdout.write(key);
      }
    }
  };
  const onEnd = () => resolve(line);
  stdin.setRawMode?.(true);
  stdin.on('data', onData).on('end', onEnd);
  signals.on('SIGTERM', interrupted);
  signals.on('SIGHUP', interrupted);
  stdin.resume();
  try {
    return await promise;
  } finally {
    stdin.off('data', onData).off('end', onEnd);
    signals.off('SIGTERM', interrupted);
    signals.off('SIGHUP', interrupted);
    stdin.pause();
    stdin.setRawMode?.(false);
    stdout.write('\n');
  }
}
