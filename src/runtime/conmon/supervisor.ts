import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { BerthError } from '../../errors/index.ts';
import { commandLine } from '../../linux/index.ts';

/** True when this pid is the supervisor of this bundle: a recycled pid would not have it among its arguments. */
export function isSupervisor(pid: number, bundle: string): boolean {
  return commandLine(pid).includes(bundle);
}

/** The live supervisor of a bundle, also one of an earlier engine. */
export function supervisorOf(bundle: string): number | undefined {
  try {
    const pid = Number(readFileSync(`${bundle}/conmon.pid`, 'utf8'));
    return Number.isInteger(pid) && pid > 0 && isSupervisor(pid, bundle) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Any live supervisor of the bundles in a folder. */
export function anySupervisor(bundlesFolder: string): number | undefined {
  if (!existsSync(bundlesFolder)) return undefined;
  for (const name of readdirSync(bundlesFolder)) {
    const pid = supervisorOf(`${bundlesFolder}/${name}`);
    if (pid !== undefined) return pid;
  }
  return undefined;
}

/** Sets the size of the terminal that a supervisor holds. @throws BerthError `conflict` when it is gone */
export function resizeTerminal(bundle: string, rows: number, columns: number): void {
  let fd: number;
  try {
    fd = openSync(`${bundle}/ctl`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw new BerthError('conflict', 'cannot resize: the process is not running', { cause: error });
  }
  try {
    writeSync(fd, `1 ${rows} ${columns}\n`);
  } finally {
    closeSync(fd);
  }
}
