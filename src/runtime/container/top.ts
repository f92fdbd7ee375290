import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { BerthError } from '../../errors/index.ts';
import { findProgram } from '../crun/invoke.ts';

export interface ProcessTable {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

const run = promisify(execFile);

/**
 * What the host's `ps` tells of the processes in a container's pid namespace.
 * @param psArgs as given to `docker top`; they must leave the PID column in
 * @throws BerthError `invalid` when ps refuses its arguments, `unavailable` when it is not installed
 */
export async function processTable(pid: number, psArgs: string): Promise<ProcessTable> {
  const ps = findProgram('ps');
  if (!ps) throw new BerthError('unavailable', 'ps is not installed', { hint: 'install it: apt-get install procps' });
  const args = psArgs.trim() === '' ? ['-ef'] : psArgs.trim().split(/\s+/);
  let output: string;
  try {
    output = (await run(ps, args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const said = (error as { readonly stderr?: string }).stderr?.trim().split('\n')[0];
    throw new BerthError('invalid', `ps ${args.join(' ')}: ${said || 'failed'}`);
  }
  const [header = '', ...rows] = output.split('\n').filter((line) => line.trim() !== '');
  const titles = header.trim().split(/\s+/);
  const pidColumn = titles.indexOf('PID');
  if (pidColumn < 0) throw new BerthError('invalid', `the output of ps ${args.join(' ')} has no PID column`);
  const inside = pidsInNamespaceOf(pid);
  // Only the last column may hold blanks.
  const cells = rows.map((row) => splitColumns(row, titles.length));
  return { Titles: titles, Processes: cells.filter((row) => inside.has(row[pidColumn]!)) };
}

function splitColumns(row: string, columns: number): readonly string[] {
  const words = row.trim().split(/\s+/);
  return [...words.slice(0, columns - 1), words.slice(columns - 1).join(' ')];
}

function pidsInNamespaceOf(pid: number): ReadonlySet<string> {
  const namespace = pidNamespace(`${pid}`);
  return new Set(readdirSync('/proc').filter((name) => /^\d+$/.test(name) && pidNamespace(name) === namespace));
}

function pidNamespace(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
