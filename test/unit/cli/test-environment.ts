import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { type CliEnvironment, main } from '../../../src/cli/index.ts';

export const NOW = Date.UTC(2026, 0, 31, 12, 0, 0);

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  readonly signals?: EventEmitter;
  readonly hosts?: Partial<CliEnvironment['hosts']>;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process, with streams of its own and a clock that stands still. */
export async function runMain(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const stdin = new PassThrough();
  stdin.end(options.stdin ?? '');
  const stdout = collector();
  const stderr = collector();
  const code = await main(argv, {
    env: options.env ?? {},
    cwd: options.cwd ?? '/',
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    now: () => NOW,
    signals: options.signals ?? new EventEmitter(),
    hosts: {
      ensureEngine: () => Promise.reject(new Error('no engine may be started in a test')),
      runEngine: () => Promise.resolve(0),
      doctor: () => Promise.resolve([]),
      ...options.hosts,
    },
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collector(): { readonly stream: PassThrough; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}
