import { existsSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { isExecFormatFailure, startError } from './errors.ts';
import { callRuntime, deleteContainer, type RuntimeProgram, readComplaints } from './invoke.ts';

export interface ForegroundRun {
  readonly id: string;
  /** Folder with `config.json`. */
  readonly bundle: string;
  readonly argv: readonly string[];
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  readonly signal: AbortSignal;
}

const SIGKILL = 9;
const pollMs = 10;
/** How long an aborted start may take to tell its pid before the runtime itself is killed. */
const patienceMs = 1000;

/**
 * Runs a container in the foreground, and deletes it. An abort kills every process in it.
 * @returns exit code, 128+n for a signal. @throws BerthError when the command could not be started; the signal's reason
 */
export async function runForeground(program: RuntimeProgram, run: ForegroundRun): Promise<number> {
  run.signal.throwIfAborted();
  const logPath = `${run.bundle}/runtime.log`;
  const pidPath = `${run.bundle}/pid`;
  const call = callRuntime(program, ['run', '--bundle', run.bundle, '--pid-file', pidPath, run.id], {
    stdin: false,
    logPath,
  });
  const tail = forwardOutput(call.stdout, call.stderr, run.onOutput, () => existsSync(pidPath));
  const abort = () =>
    void killWhenStarted(
      pidPath,
      () => call.child.exitCode !== null || call.child.signalCode !== null,
      () => call.child.kill('SIGKILL'),
    );
  run.signal.addEventListener('abort', abort, { once: true });
  let code: number;
  try {
    code = await call.ended;
  } finally {
    run.signal.removeEventListener('abort', abort);
    await deleteContainer(program, run.id);
  }
  run.signal.throwIfAborted();
  if (code === 0) return code;
  const complaints = readComplaints(logPath);
  if (complaints.trim() !== '') throw startError(complaints, run.argv);
  if (code === 1 && isExecFormatFailure(tail())) throw startError(tail(), run.argv);
  return code;
}

/**
 * Passes output on as it comes. What arrives before the container exists is the runtime's own complaint, which is
 * reported as an error instead.
 * @returns reads the last bytes of stderr
 */
function forwardOutput(
  stdout: Readable,
  stderr: Readable,
  onOutput: ForegroundRun['onOutput'],
  hasStarted: () => boolean,
): () => string {
  let last: Buffer = Buffer.alloc(0);
  let started = false;
  stdout.on('data', (chunk: Buffer) => onOutput('stdout', chunk));
  stderr.on('data', (chunk: Buffer) => {
    last = chunk;
    started ||= hasStarted();
    if (started) onOutput('stderr', chunk);
  });
  return () => last.toString('utf8', Math.max(0, last.length - 1000));
}

/** Killing the first process of a pid namespace kills all of it. */
async function killWhenStarted(pidPath: string, hasEnded: () => boolean, giveUp: () => void): Promise<void> {
  for (let waited = 0; !hasEnded(); waited += pollMs) {
    const pid = readPid(pidPath);
    if (pid !== undefined) {
      try {
        process.kill(pid, SIGKILL);
        return;
      } catch {
        // Ended just now.
        return;
      }
    }
    if (waited >= patienceMs) return giveUp();
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
