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
  const output = new StepOutput(call.stdout, call.stderr, run.onOutput, () => existsSync(pidPath));
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
  const complaints = code === 0 ? '' : readComplaints(logPath);
  output.end(complaints.trim() === '');
  run.signal.throwIfAborted();
  if (complaints.trim() !== '') throw startError(complaints, run.argv);
  if (code === 1 && isExecFormatFailure(output.lastError)) throw startError(output.lastError, run.argv);
  return code;
}

/**
 * Passes output on as it comes. Errors that arrive before the container is known to exist are held for a moment: they
 * may be the runtime's own complaint, which is reported as an error instead.
 */
class StepOutput {
  readonly #onOutput: ForegroundRun['onOutput'];
  readonly #hasStarted: () => boolean;
  readonly #held: Buffer[] = [];
  #started = false;
  #last: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;

  constructor(stdout: Readable, stderr: Readable, onOutput: ForegroundRun['onOutput'], hasStarted: () => boolean) {
    this.#onOutput = onOutput;
    this.#hasStarted = hasStarted;
    stdout.on('data', (chunk: Buffer) => onOutput('stdout', chunk));
    stderr.on('data', (chunk: Buffer) => {
      this.#last = chunk;
      if (this.#started) onOutput('stderr', chunk);
      else {
        this.#held.push(chunk);
        this.#release();
      }
    });
  }

  /** The last bytes of stderr. */
  get lastError(): string {
    return this.#last.toString('utf8', Math.max(0, this.#last.length - 1000));
  }

  /** @param mine false when what is still held was the runtime's */
  end(mine: boolean): void {
    clearTimeout(this.#timer);
    if (mine) for (const chunk of this.#held.splice(0)) this.#onOutput('stderr', chunk);
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#started ||= this.#hasStarted();
    if (!this.#started) {
      this.#timer = setTimeout(() => this.#release(), pollMs);
      return;
    }
    for (const chunk of this.#held.splice(0)) this.#onOutput('stderr', chunk);
  }
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
