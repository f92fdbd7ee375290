import { constants } from 'node:os';
import { BerthError, toBerthError } from '../../errors/index.ts';
import type { ContainersContext, Run } from './container.ts';

export const SIGKILL = 9;
const REALTIME_MIN = 34;
const REALTIME_MAX = 64;
const REALTIME = /^RTM(?:IN(?:\+(\d+))?|AX(?:-(\d+))?)$/;

/**
 * Number of a signal that is written as `SIGTERM`, `term`, `15` or `SIGRTMIN+3`.
 * @throws BerthError `invalid`
 */
export function signalNumber(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const number = /^\d+$/.test(name) ? Number(name) : (named(name) ?? 0);
  if (number < 1 || number > REALTIME_MAX) throw new BerthError('invalid', `invalid signal: ${text}`);
  return number;
}

function named(name: string): number | undefined {
  const realtime = REALTIME.exec(name);
  if (!realtime) return (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
  const number = name.startsWith('RTMIN')
    ? REALTIME_MIN + Number(realtime[1] ?? 0)
    : REALTIME_MAX - Number(realtime[2] ?? 0);
  return number >= REALTIME_MIN && number <= REALTIME_MAX ? number : undefined;
}

/** @returns false when the process has ended already and only its exit is not recorded yet */
export function signalProcess({ ports }: ContainersContext, { process }: Run, signal: number): boolean {
  try {
    ports.runtime.signal(process, signal);
    return true;
  } catch (error) {
    if (toBerthError(error).kind !== 'conflict') throw error;
    return false;
  }
}
