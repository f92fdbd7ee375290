import { spawn } from 'node:child_process';
import { BerthError } from '../../errors/index.ts';
import type { Credentials } from './keychain.ts';

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const MAX_OUTPUT = 1024 * 1024;
/** The protocol has no exit codes: this sentence says that there is nothing. */
const NOT_FOUND = 'credentials not found in native keychain';

/**
 * Asks `docker-credential-<name>` for a registry's credentials.
 * @returns undefined when it has none
 * @throws BerthError `unavailable` naming the program; its output is never repeated
 * @see docker-credential-helpers, "Development"
 */
export async function askCredentialProgram(
  name: string,
  registry: string,
  options: ProgramOptions,
): Promise<Credentials | undefined> {
  const { code, output } = await runCredentialProgram(name, registry, options);
  if (code !== 0) {
    if (output.includes(NOT_FOUND)) return undefined;
    throw broken(name, `ended with exit code ${code}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    throw broken(name, 'did not answer in JSON');
  }
  const { Username: username, Secret: secret } = (value ?? {}) as { Username?: unknown; Secret?: unknown };
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw broken(name, 'answered without user and secret');
  if (username === '' && secret === '') return undefined;
  return username === '<token>'
    ? { kind: 'identity', token: secret }
    : { kind: 'password', username, password: secret };
}

function runCredentialProgram(
  name: string,
  input: string,
  { env, timeoutMs, signal }: ProgramOptions,
): Promise<{ code: number | null; output: string }> {
  // The name comes from a file: it must not lead out of PATH.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw broken(name, 'has a name that no program can have');
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${name}`, ['get'], {
      env: { ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
      // In a group of its own, so that what it started ends with it.
      detached: true,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (error?: unknown) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      if (error === undefined) return;
      if (child.pid !== undefined && child.exitCode === null) killGroup(child.pid);
      child.stdout.destroy();
      reject(error);
    };
    const abort = () => settle(signal?.reason);
    const timer = setTimeout(
      () => settle(broken(name, `did not answer within ${timeoutMs / 1000} seconds`)),
      timeoutMs,
    );
    signal?.addEventListener('abort', abort);
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_OUTPUT) settle(broken(name, 'printed too much'));
      else chunks.push(chunk);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', (error) => settle(broken(name, `does not run: ${error.message}`)));
    child.once('close', (code) => {
      settle();
      resolve({ code, output: Buffer.concat(chunks).toString('utf8') });
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

function broken(name: string, why: string): BerthError {
  return new BerthError('unavailable', `the credential helper docker-credential-${name} ${why}`, {
    hint: 'run it by hand, or take it out of credsStore and credHelpers in config.json',
  });
}
