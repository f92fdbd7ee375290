import { readFileSync } from 'node:fs';

/** A process that was seen: its pid, and its start time so that a reused pid is not mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
}

/** Start time in clock ticks since boot, or undefined when there is no such process (a zombie counts as none). */
export function startTicks(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name in parentheses may hold spaces and parentheses itself; fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

export function isRunning(identity: ProcessIdentity): boolean {
  return startTicks(identity.pid) === identity.startTicks;
}

/** Signals the very process that was seen. @returns false when it is gone */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  if (!isRunning(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The arguments of a process, or none when it is gone. */
export function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

const waitStepMs = 5;

/** Waits until a condition holds, asking every few milliseconds. @returns whether it held in time */
export async function waitUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, waitStepMs));
  }
  return true;
}
