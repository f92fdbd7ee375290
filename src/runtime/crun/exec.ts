import { readFileSync } from 'node:fs';
import { OutputQueue } from '../container/output-queue.ts';
import type { ExecProcess, ProcessStreams } from '../container/streams.ts';
import { startError } from './errors.ts';
import { callRuntime, type RuntimeCall, type RuntimeProgram, readComplaints } from './invoke.ts';

export interface PipedExec {
  readonly containerId: string;
  /** Folder of this exec alone, with `process.json`. */
  readonly bundle: string;
  readonly argv: readonly string[];
  readonly stdin: boolean;
}

const pollMs = 2;

/**
 * Runs a process in a running container with pipes, as a child of this process: it ends with the engine's interest in it.
 * @throws BerthError when the command cannot be started
 */
export async function execWithPipes(program: RuntimeProgram, exec: PipedExec): Promise<ExecProcess> {
  const logPath = `${exec.bundle}/runtime.log`;
  const pidPath = `${exec.bundle}/pid`;
  const args = ['exec', '--process', `${exec.bundle}/process.json`, '--pid-file', pidPath, exec.containerId];
  const call = callRuntime(program, args, { stdin: exec.stdin, logPath });
  const streams = pipedStreams(call);
  const exited = call.ended;
  exited.catch(() => {});
  const pid = await pidOf(pidPath, call.ended);
  if (pid === undefined) {
    await call.ended;
    streams.close();
    throw startError(readComplaints(logPath), exec.argv);
  }
  return { pid, streams, exited, resize: async () => {} };
}

/** The runtime writes the pid when the process exists; when it ends before that, it has failed. */
async function pidOf(path: string, ended: Promise<number>): Promise<number | undefined> {
  let over = false;
  const end = ended.then(() => {
    over = true;
  });
  for (;;) {
    const last = over;
    const pid = readPid(path);
    if (pid !== undefined || last) return pid;
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, pollMs))]);
  }
}

function readPid(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function pipedStreams(call: RuntimeCall): ProcessStreams {
  const queue = new OutputQueue();
  queue.addSource(call.stdout);
  queue.addSource(call.stderr);
  call.stdout.on('data', (chunk: Buffer) => queue.push('stdout', chunk));
  call.stderr.on('data', (chunk: Buffer) => queue.push('stderr', chunk));
  call.ended.then(
    () => queue.end(),
    (error: Error) => queue.end(error),
  );
  const { stdin } = call;
  return {
    output: queue,
    write: (chunk) => new Promise((resolve) => (stdin?.writable ? stdin.write(chunk, () => resolve()) : resolve())),
    closeStdin: () => void stdin?.end(),
    close() {
      stdin?.end();
      call.stdout.destroy();
      call.stderr.destroy();
      queue.end();
    },
  };
}
