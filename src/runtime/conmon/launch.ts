import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { BerthError } from '../../errors/index.ts';
import { startError } from '../crun/errors.ts';
import { findProgram, type RuntimeProgram } from '../crun/invoke.ts';

/** The supervisor of one container or exec, and the process that it started. */
export interface Supervised {
  readonly pid: number;
  readonly supervisorPid: number;
}

export interface LaunchOptions {
  readonly containerId: string;
  /** Folder of this process's own state: sockets, pid files, `oom`. Short: sockets lie in it. */
  readonly bundle: string;
  /** Folder that gets a file named by the container's id, with the exit code. */
  readonly exitFolder: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Keep the process's input open when an attached client goes. */
  readonly leaveStdinOpen: boolean;
  /** k8s-file log, or undefined for none. */
  readonly logPath: string | undefined;
  /** For an exec: file with the OCI process. */
  readonly execSpec?: string;
  readonly argv: readonly string[];
}

export function conmonPath(): string {
  const path = findProgram('conmon');
  if (path) return path;
  throw new BerthError('unavailable', 'conmon, which supervises containers, is not installed', {
    hint: 'install it: apt-get install conmon',
  });
}

/**
 * Starts conmon, which runs the runtime's `create` (or `exec`), then watches the process on its own: it outlives the engine.
 * @throws BerthError with what the runtime said when the process could not be set up
 */
export async function launch(conmon: string, program: RuntimeProgram, options: LaunchOptions): Promise<Supervised> {
  const child = spawn(conmon, launchArguments(program, options), {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4' },
    detached: true,
  });
  // conmon waits for this byte, so that its parent could move it to another cgroup before it starts anything.
  const gate = child.stdio[4] as Writable;
  gate.on('error', () => {});
  gate.end('\n');
  const report = await syncReport(child);
  if (report.pid > 0)
    return { pid: report.pid, supervisorPid: Number(readFileSync(`${options.bundle}/conmon.pid`, 'utf8')) };
  throw startError(report.message, options.argv);
}

function launchArguments(program: RuntimeProgram, options: LaunchOptions): readonly string[] {
  const { bundle, containerId } = options;
  return [
    ...['--api-version', '1', '--cid', containerId, '--cuuid', containerId, '--name', containerId],
    ...['--runtime', program.path, ...program.globalArguments.flatMap((argument) => ['--runtime-arg', argument])],
    ...['--bundle', bundle, '--persist-dir', bundle, '--exit-dir', options.exitFolder],
    ...['--container-pidfile', `${bundle}/pid`, '--conmon-pidfile', `${bundle}/conmon.pid`],
    ...['--full-attach', '--log-level', 'error', '--no-sync-log'],
    ...['--log-path', options.logPath === undefined ? 'none' : `k8s-file:${options.logPath}`],
    ...(options.tty ? ['--terminal'] : []),
    ...(options.stdin ? ['--stdin'] : []),
    ...(options.leaveStdinOpen ? ['--leave-stdin-open'] : []),
    ...(options.execSpec === undefined ? [] : ['--exec', '--exec-process-spec', options.execSpec]),
  ];
}

/** One JSON line: the pid of the process, or what went wrong. */
async function syncReport(child: ChildProcess): Promise<{ readonly pid: number; readonly message: string }> {
  let text = '';
  const pipe = child.stdio[3] as NodeJS.ReadableStream;
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    pipe.setEncoding('utf8');
    pipe.on('data', (part: string) => {
      text += part;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(parseReport(text.slice(0, end)));
    });
    pipe.once('end', () => resolve(parseReport(text)));
  });
}

function parseReport(line: string): { readonly pid: number; readonly message: string } {
  if (line.trim() === '') return { pid: -1, message: 'the supervisor ended without a report' };
  const report = JSON.parse(line) as { readonly data?: number; readonly pid?: number; readonly message?: string };
  return { pid: report.data ?? report.pid ?? -1, message: report.message ?? '' };
}
