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
/** Stands for the user of an identity token. */
const TOKEN_USER = '<token>';

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
  const { code, output } = await runCredentialProgram(name, { verb: 'get', input: registry }, options);
  if (code !== 0) {
    if (output.includes(NOT_FOUND)) return undefined;
    throw broken(name, `ended with exit code ${code}`);
  }
  const { Username: username, Secret: secret } = fieldsOf(name, output);
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw broken(name, 'answered without user and secret');
  if (username === '' && secret === '') return undefined;
  return username === TOKEN_USER
    ? { kind: 'identity', token: secret }
    : { kind: 'password', username, password: secret };
}

/** Hands credentials over, by stdin only. @throws BerthError `unavailable` */
export async function storeInProgram(
  name: string,
  registry: string,
  credentials: Credentials,
  options: ProgramOptions,
): Promise<void> {
  const isPassword = credentials.kind === 'password';
  const document = {
    ServerURL: registry,
    Username: isPassword ? credentials.username : TOKEN_USER,
    Secret: isPassword ? credentials.password : credentials.token,
  };
  const { code } = await runCredentialProgram(name, { verb: 'store', input: JSON.stringify(document) }, options);
  if (code !== 0) throw broken(name, `did not store the credentials: it ended with exit code ${code}`);
}

/** @returns false when it had none. @throws BerthError `unavailable` */
export async function eraseFromProgram(name: string, registry: string, options: ProgramOptions): Promise<boolean> {
  const { code, output } = await runCredentialProgram(name, { verb: 'erase', input: registry }, options);
  if (code === 0) return true;
  if (output.includes(NOT_FOUND)) return false;
  throw broken(name, `did not erase the credentials: it ended with exit code ${code}`);
}

/** Registries that the program has credentials for. @throws BerthError `unavailable` */
export async function listOfProgram(name: string, options: ProgramOptions): Promise<readonly string[]> {
  const { code, output } = await runCredentialProgram(name, { verb: 'list', input: '' }, options);
  if (code !== 0) throw broken(name, `ended with exit code ${code}`);
  return Object.keys(fieldsOf(name, output));
}

function fieldsOf(name: string, output: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(output) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    throw broken(name, 'did not answer in JSON');
  }
}

function runCredentialProgram(
  name: string,
  { verb, input }: { readonly verb: 'get' | 'store' | 'erase' | 'list'; readonly input: string },
  { env, timeoutMs, signal }: ProgramOptions,
): Promise<{ code: number | null; output: string }> {
  // The name comes from a file: it must not lead out of PATH.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw broken(name, 'has a name that no program can have');
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${name}`, [verb], {
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
