import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants as osConstants } from 'node:os';
import { delimiter } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { BerthError } from '../../errors/index.ts';
import { pipe } from '../linux/libc.ts';
import { sealedCopy } from '../linux/sealed-copy.ts';

export type RuntimeName = 'crun' | 'runc';
export const runtimeNames: readonly RuntimeName[] = ['crun', 'runc'];

/** An OCI runtime on this machine, with the arguments that every call of it gets. */
export interface RuntimeProgram {
  readonly name: RuntimeName;
  /** What to execute: crun's is a sealed copy, which saves it from making one at each start. */
  readonly path: string;
  /** Folder in which it keeps one folder per container. */
  readonly stateFolder: string;
  readonly globalArguments: readonly string[];
}

const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where a program is, looked for in the usual folders; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  return searchPath
    .split(delimiter)
    .map((folder) => `${folder}/${name}`)
    .find((path) => existsSync(path));
}

/** @throws BerthError `invalid` for a runtime that Berth does not know, `unavailable` when it is not installed */
export function findRuntime(name: string, runFolder: string): RuntimeProgram {
  const known = runtimeNames.find((runtime) => runtime === name);
  if (!known)
    throw new BerthError('invalid', `unknown runtime: ${name}`, { hint: `known are ${runtimeNames.join(' and ')}` });
  const path = findProgram(known);
  if (!path)
    throw new BerthError('unavailable', `the runtime ${known} is not installed`, {
      hint: `install it: apt-get install ${known}`,
    });
  const stateFolder = `${runFolder}/${known}`;
  const globalArguments = ['--root', stateFolder, ...(known === 'crun' ? ['--cgroup-manager=cgroupfs'] : [])];
  return { name: known, path: known === 'crun' ? sealedCopy(path) : path, stateFolder, globalArguments };
}

/** A running call of the runtime, whose standard streams are the container's. */
export interface RuntimeCall {
  readonly child: ChildProcess;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly stdin: Writable | null;
  /** Exit code (128+n for a signal), when the process has ended and both outputs are read to their end. */
  readonly ended: Promise<number>;
}

export interface CallOptions {
  readonly stdin: boolean;
  /** File that receives the runtime's own complaints. */
  readonly logPath: string;
}

/** Starts the runtime with real pipes, so that `/dev/stdout` can be opened again inside the container. */
export function callRuntime(program: RuntimeProgram, args: readonly string[], options: CallOptions): RuntimeCall {
  const out = pipe();
  const err = pipe();
  const input = options.stdin ? pipe() : undefined;
  const child = spawn(program.path, [...program.globalArguments, '--log', options.logPath, ...args], {
    stdio: [input?.read ?? 'ignore', out.write, err.write],
    argv0: program.name,
    env: {},
    // Its own process group: Ctrl-C in the engine's terminal is for the engine to handle.
    detached: true,
  });
  for (const fd of [out.write, err.write, ...(input ? [input.read] : [])]) closeSync(fd);
  const stdout = new Socket({ fd: out.read, readable: true, writable: false });
  const stderr = new Socket({ fd: err.read, readable: true, writable: false });
  const stdin = input ? new Socket({ fd: input.write, readable: false, writable: true }) : null;
  // The command may end without reading its input: EPIPE is not an error then.
  stdin?.on('error', () => stdin.destroy());
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + osConstants.signals[signal!]));
  });
  const closed = (stream: Socket) => new Promise<void>((resolve) => stream.once('close', () => resolve()));
  const ended = Promise.all([exit, closed(stdout), closed(stderr)]).then(([code]) => code);
  return { child, stdout, stderr, stdin, ended };
}

/** Runs a short command of the runtime (`start`, `delete`). @throws BerthError with what it said */
export async function controlRuntime(program: RuntimeProgram, args: readonly string[]): Promise<void> {
  const child = spawn(program.path, [...program.globalArguments, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {},
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0)
    throw new BerthError('internal', `${program.name} ${args[0]} failed: ${said.trim() || `exit code ${code}`}`);
}

/** Kills what is left of a container and forgets it. One that does not exist is fine. */
export async function deleteContainer(program: RuntimeProgram, id: string): Promise<void> {
  if (existsSync(`${program.stateFolder}/${id}`)) await controlRuntime(program, ['delete', '--force', id]);
}

/** What the runtime wrote to its log; empty when nothing went wrong. */
export function readComplaints(logPath: string): string {
  try {
    return readFileSync(logPath, 'utf8');
  } catch {
    return '';
  }
}
