import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '../errors/index.ts';

/**
 * Of V8, for the process of an engine: the buffers of what passes through are freed when the young generation is cleared,
 * and with its usual 48 MB a pull would hold all of them that fit meanwhile.
 */
export const ENGINE_FLAGS: readonly string[] = ['--max-semi-space-size=1'];

const READY_MS = 15_000;
const POLL_MS = 4;
/** So long may the winner of the lock take until it listens; a start takes a fifth of a second. */
const WINNER_MS = 1500;
const MAX_LOG_BYTES = 1 << 20;

export interface LaunchOptions {
  /** The program and arguments that run an engine in the foreground. */
  readonly command: readonly [string, ...string[]];
  readonly socket: string;
  readonly runRoot: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Starts an engine in the background and waits until it listens. When several clients do so at once, one engine wins
 * the lock of the data folder and the others' leave; every client finds the winner's socket.
 */
export async function launchEngine(options: LaunchOptions): Promise<void> {
  mkdirSync(options.runRoot, { recursive: true, mode: 0o700 });
  const logFile = `${options.runRoot}/engine.log`;
  let child = spawnEngine(options, logFile);
  const deadline = Date.now() + READY_MS;
  while (!(await listens(options.socket))) {
    // The one that lost the race for the lock leaves with success, and the winner's socket comes.
    const failed = child.exit !== undefined && child.exit !== 'exit code 0';
    if (failed || Date.now() > deadline) {
      throw new BerthError(
        'unavailable',
        `the engine did not start (${child.exit ?? `no answer within ${READY_MS / 1000} s`})${lastLines(logFile)}`,
        {
          hint: `see ${logFile}, run 'berth doctor', or run 'berth engine' in the foreground`,
        },
      );
    }
    // But if it does not come, the winner was on its way out: one that is killed holds the lock until its last thread ends.
    if (child.exit !== undefined && Date.now() - child.exitedAt > WINNER_MS) child = spawnEngine(options, logFile);
    await delay(POLL_MS);
  }
}

interface SpawnedEngine {
  /** How it ended, once it has. */
  exit: string | undefined;
  /** Milliseconds since the epoch. */
  exitedAt: number;
}

function spawnEngine({ command: [program, ...args], env }: LaunchOptions, logFile: string): SpawnedEngine {
  const log = openSync(logFile, tooLong(logFile) ? 'w' : 'a', 0o600);
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], env, cwd: '/' });
  closeSync(log);
  child.unref();
  const engine: SpawnedEngine = { exit: undefined, exitedAt: 0 };
  const ended = (how: string) => {
    engine.exit = how;
    engine.exitedAt = Date.now();
  };
  child.once('error', (error) => ended(error.message));
  child.once('exit', (code, signal) => ended(signal ? `ended by ${signal}` : `exit code ${code}`));
  return engine;
}

/** True once something listens; false when nothing does for long. */
export async function waitForSocket(socket: string): Promise<boolean> {
  const deadline = Date.now() + READY_MS;
  while (!(await listens(socket))) {
    if (Date.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** Whether something answers on a socket. */
export function listens(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', () => resolve(false));
  });
}

function tooLong(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES;
}

function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(-3).join('\n  ');
  return lines === '' ? '' : `:\n  ${lines}`;
}
