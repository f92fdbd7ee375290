import { type ChildProcessWithoutNullStreams, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noteEngine } from './suite-ledger.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
export const berthProgram = join(checkout, 'bin/berth');

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end. Never throws for an exit code: tests look at it. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, spawnOptions(options)) as ChildProcessWithoutNullStreams;
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8');
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${program} ${args.join(' ')} did not end in time\n${text(out)}\n${text(err)}`));
    }, options.timeoutMs ?? 60_000);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout: text(out), stderr: text(err) });
    });
  });
}

function spawnOptions(options: CommandOptions): SpawnOptions {
  return {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd ? { cwd: options.cwd } : {}),
  };
}

/** One Berth of its own: data, runtime state and socket in a temporary folder. */
export class Host {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;

  constructor(options: { readonly root?: string; readonly env?: Readonly<Record<string, string>> } = {}) {
    this.folder = mkdtempSync('/tmp/berth-');
    this.env = {
      BERTH_ROOT: options.root ?? join(this.folder, 'root'),
      BERTH_RUN_ROOT: join(this.folder, 'run'),
      BERTH_IDLE_SECONDS: '30',
      ...options.env,
    };
    noteEngine({ root: this.root, folder: this.folder });
  }

  get root(): string {
    return this.env['BERTH_ROOT']!;
  }

  get runRoot(): string {
    return this.env['BERTH_RUN_ROOT']!;
  }

  get socket(): string {
    return join(this.runRoot, 'berth.sock');
  }

  berth(args: readonly string[], options: CommandOptions = {}): Promise<Result> {
    return command(berthProgram, args, { ...options, env: { ...this.env, ...options.env } });
  }

  /** As `berth`, and an exit code other than 0 fails the test with the output. */
  async ok(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const result = await this.berth(args, options);
    if (result.code !== 0)
      throw new Error(`berth ${args.join(' ')}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  }

  /** A berth that goes on running. */
  start(args: readonly string[], options: CommandOptions = {}): ChildProcessWithoutNullStreams {
    return spawn(
      berthProgram,
      args,
      spawnOptions({ ...options, env: { ...this.env, ...options.env } }),
    ) as ChildProcessWithoutNullStreams;
  }

  docker(args: readonly string[], options: CommandOptions = {}): Promise<Result> {
    return command('docker', ['-H', `unix://${this.socket}`, ...args], {
      ...options,
      env: { DOCKER_BUILDKIT: '0', ...options.env },
    });
  }

  async importBase(name: 'busybox' | 'debian'): Promise<void> {
    const tar = execFileSync(join(checkout, 'test/support/make-base-image'), [name], { encoding: 'utf8' }).trim();
    await this.ok(
      ['import', '--change', 'ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin', '--change', 'CMD ["sh"]', tar, name],
      { timeoutMs: 120_000 },
    );
  }

  enginePid(): number | undefined {
    const lock = join(this.root, 'layout-v1/engine.lock');
    const pid = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
    return pid > 0 && isRunning(pid) ? pid : undefined;
  }

  /** The end of the engine without a farewell. Resolves when nobody answers any more: its last thread may take a while. */
  async killEngine(): Promise<void> {
    const pid = this.enginePid();
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    await until(() => refusesConnections(this.socket));
  }

  async dispose(): Promise<void> {
    const { stdout } = await this.berth(['ps', '-aq', '--no-trunc']);
    const ids = stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await this.berth(['rm', '-f', ...ids]);
    const pid = this.enginePid();
    if (pid) {
      process.kill(pid, 'SIGTERM');
      await until(() => !isRunning(pid));
    }
    // An engine that came second, and found the seat taken, may be on its way out still.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** False also for a process that has ended and that nobody has waited for: in a container, process 1 may not care. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Nobody listens any more. */
export function refusesConnections(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => {
      connection.destroy();
      resolve(false);
    });
    connection.once('error', () => resolve(true));
  });
}

/** Waits for a condition, asking every 10 ms. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not true within ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
