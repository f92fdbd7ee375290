import type { CliEnvironment, EngineHosts, OutputStream } from './environment.ts';
import { main } from './main.ts';

/** Exit code of a program that a closed pipe stopped: 128 and the number of SIGPIPE. */
const BROKEN_PIPE = 141;

/**
 * Runs the command line of this process and ends it with the command's exit code, once all output is written.
 * `release` runs before: a host that lives in this process leaves then.
 */
export async function runCli(hosts: EngineHosts, release: () => Promise<void> = async () => {}): Promise<never> {
  const environment = processEnvironment(hosts);
  for (const stream of [process.stdout, process.stderr]) {
    // `berth logs | head`: the reader has enough.
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? BROKEN_PIPE : 1));
  }
  const code = await main(process.argv.slice(2), environment);
  await release();
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

function processEnvironment(hosts: EngineHosts): CliEnvironment {
  return {
    env: process.env,
    cwd: process.cwd(),
    // Opened on first use: a pipe as stdin costs a handle that most commands never need.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    now: Date.now,
    signals: process,
    hosts,
  };
}

function flushed(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}
