import { spawn } from 'node:child_process';
import { BerthError } from '../../errors/index.ts';

const MAX_OUTPUT = 16 << 20;
const MAX_SHOWN = 600;

/** Nothing of the machine's own git configuration, no questions, no hooks, no local or program-run transports. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: '/bin/false',
  GIT_ALLOW_PROTOCOL: 'http:https:ssh:git',
  GIT_SSH_COMMAND: 'ssh -o BatchMode=yes',
  GIT_LFS_SKIP_SMUDGE: '1',
  LC_ALL: 'C',
};
const SETTINGS = ['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'credential.helper=', 'gc.auto=0'];

export interface GitCall {
  /** Where git runs, and its home: an empty folder of our own, or a repository in it. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** A header for requests to one place. It is in the environment, where other users cannot see it. */
  readonly header?: { readonly url: string; readonly text: string } | undefined;
}

/**
 * Runs git. Names that come from a Dockerfile stand after `--` or `--end-of-options`: the caller sees to it.
 * @throws BerthError telling what git said, without user names and passwords
 */
export async function runGit(args: readonly string[], { folder, signal, header }: GitCall): Promise<string> {
  signal.throwIfAborted();
  const options = SETTINGS.flatMap((setting) => ['-c', setting]);
  const child = spawn('git', [...options, ...args], {
    cwd: folder,
    env: { ...ENVIRONMENT, ...headerSetting(header), HOME: folder, PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: what git starts (ssh, git-remote-https) ends with it.
    detached: true,
  });
  const end = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  signal.addEventListener('abort', end, { once: true });
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.length > MAX_OUTPUT) end();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-MAX_OUTPUT);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', (error) => reject(notThere(error)));
  child.on('close', resolve);
  try {
    const code = await promise;
    signal.throwIfAborted();
    if (code === 0) return output;
    throw new BerthError('unavailable', `git failed: ${lastWords(complaints) || `exit code ${code}`}`);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function headerSetting(header: GitCall['header']): Readonly<Record<string, string>> {
  if (header === undefined) return {};
  return { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: `http.${header.url}.extraHeader`, GIT_CONFIG_VALUE_0: header.text };
}

function notThere(error: Error): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  return new BerthError('unsupported', 'ADD of a git repository needs the git program, which is not installed here', {
    hint: "install git with the system's package manager",
  });
}

function lastWords(text: string): string {
  const lines = hideCredentials(text)
    .split('\n')
    .filter((line) => /^(fatal|error|remote|ssh|Permission|Host)/.test(line));
  return lines.join('; ').slice(-MAX_SHOWN);
}

export function hideCredentials(text: string): string {
  return text.replace(/([a-z]+:\/\/)[^\s/@?#]+@/gi, '$1');
}
