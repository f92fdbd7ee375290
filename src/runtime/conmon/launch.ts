import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { BerthError } from '../../errors/index.ts';
import { startError } from '../crun/errors.ts';
import { findProgram, type RuntimeProgram, readComplaints } from '../crun/invoke.ts';

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
  readonly exec?: ExecLaunch;
  readonly argv: readonly string[];
}

export interface ExecLaunch {
  /** File with the OCI process. */
  readonly specPath: string;
  /** Called when the attach socket is there and the process is not: whoever attaches now misses nothing. */
  readonly onAttachable: () => void;
}

export function conmonPath(): string {
  const path = findProgram('conmon');
  if (path) return path;
  throw new BerthError('unavailable', 'conmon, which supervises containers, is not installed', {
    hint: 'install it: apt-get install conmon',
  });
}

/** Descriptors by which conmon talks to its parent. @see conmon's `_OCI_*` environment variables */
const SYNC = 3;
const START = 4;
const ATTACH = 5;

/**
 * Starts conmon, which runs the runtime's `create` (or `exec`), then watches the process on its own: it outlives the engine.
 * @throws BerthError with what the runtime said when the process could not be set up
 */
export async function launch(conmon: string, program: RuntimeProgram, options: LaunchOptions): Promise<Supervised> {
  const { bundle, exec } = options;
  const environment = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    TZ: 'UTC',
    _OCI_SYNCPIPE: `${SYNC}`,
    _OCI_STARTPIPE: `${START}`,
  };
  const child = spawn(conmon, launchArguments(program, options), {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', ...(exec ? (['pipe'] as const) : [])],
    env: exec ? { ...environment, _OCI_ATTACHPIPE: `${ATTACH}` } : environment,
    detached: true,
  });
  // conmon waits for this byte, so that its parent could move it to another cgroup before it starts anything.
  const gate = child.stdio[START] as Writable;
  gate.on('error', () => {});
  gate.write('\n');
  const extraPipes: readonly unknown[] = child.stdio;
  if (exec) {
    (extraPipes[ATTACH] as Readable).once('data', () => {
      exec.onAttachable();
      gate.end('\n');
    });
  } else gate.end();
  const report = await syncReport(child);
  if (report.pid > 0) return { pid: report.pid, supervisorPid: Number(readFileSync(`${bundle}/conmon.pid`, 'utf8')) };
  // With a terminal, conmon gives up without passing on what the runtime said.
  throw startError(readComplaints(complaintsPath(bundle)) || report.message, options.argv);
}

function complaintsPath(bundle: string): string {
  return `${bundle}/runtime.log`;
}

function launchArguments(program: RuntimeProgram, options: LaunchOptions): readonly string[] {
  const { bundle, containerId, exec } = options;
  const runtimeArguments = [...program.globalArguments, '--log', complaintsPath(bundle)];
  return [
    ...['--api-version', '1', '--cid', containerId, '--cuuid', containerId, '--name', containerId],
    ...['--runtime', program.path, ...runtimeArguments.flatMap((argument) => ['--runtime-arg', argument])],
    ...['--bundle', bundle, '--persist-dir', bundle, '--exit-dir', options.exitFolder],
    ...['--container-pidfile', `${bundle}/pid`, '--conmon-pidfile', `${bundle}/conmon.pid`],
    ...['--full-attach', '--log-level', 'error', '--no-sync-log'],
    ...['--log-path', options.logPath === undefined ? 'none' : `k8s-file:${options.logPath}`],
    ...(options.tty ? ['--terminal'] : []),
    ...(options.stdin ? ['--stdin'] : []),
    ...(options.leaveStdinOpen ? ['--leave-stdin-open'] : []),
    ...(exec ? ['--exec', '--exec-attach', '--exec-process-spec', exec.specPath] : []),
  ];
}

interface Report {
  readonly pid: number;
  readonly message: string;
}

/** One JSON line: the pid of the process, or what went wrong. */
async function syncReport(child: ChildProcess): Promise<Report> {
  let text = '';
  const pipe = child.stdio[SYNC] as Readable;
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    pipe.setEncoding('utf8');
    pipe.on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) resolve(parseReport(text));
    });
    pipe.once('end', () => resolve(parseReport(text)));
  });
}

/** An exec reports its exit code in a second line, much later: that comes by the exit file, too. */
function parseReport(text: string): Report {
  const line = text.split('\n', 1)[0]!;
  if (line.trim() === '') return { pid: -1, message: 'the supervisor ended without a report' };
  const report = JSON.parse(line) as { readonly data?: number; readonly pid?: number; readonly message?: string };
  return { pid: report.data ?? report.pid ?? -1, message: report.message ?? '' };
}
