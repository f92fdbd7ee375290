import { BerthError, isBerthError } from '../../errors/index.ts';
import type { CredentialStore, Credentials, RegistryClient } from '../../registry-client/index.ts';
import { configFile, namedRegistry, openCredentials } from '../connection/credentials.ts';
import type { Command, CommandContext } from '../context.ts';
import type { CliEnvironment } from '../environment.ts';
import { exitCodes } from '../exit-codes.ts';
import { prompt } from '../streams/prompt.ts';
import { clientVersion } from './client-version.ts';

/** Longer than any password, token or key that a registry gives. */
const MAX_PASSWORD_BYTES = 1024 * 1024;

/** @see docker/cli, cli/command/registry/login.go */
export const run: Command = async (context) => {
  const { args, environment } = context;
  const given = await givenCredentials(context);
  const registry = await namedRegistry(args[0]);
  const store = await openCredentials(environment);
  const client = await openClient(environment);
  try {
    if (
      given.username === '' &&
      given.password === '' &&
      (await useExisting({ registry, store, client }, environment))
    ) {
      environment.stdout.write('Login Succeeded\n');
      return exitCodes.ok;
    }
    const credentials = await completed(given, registry, environment);
    const { identityToken } = await client.logIn(registry, credentials);
    const kept = identityToken === undefined ? credentials : ({ kind: 'identity', token: identityToken } as const);
    const { isPlain } = await store.store(registry, kept);
    if (isPlain) environment.stderr.write(plainWarning(configFile(environment.env)));
    environment.stdout.write('Login Succeeded\n');
    return exitCodes.ok;
  } finally {
    client.close();
  }
};

async function openClient({ env, now }: CliEnvironment): Promise<RegistryClient> {
  const { openRegistries, registryFilesOf } = await import('../../registry-client/index.ts');
  return openRegistries({ files: registryFilesOf(env), now, env, userAgent: `berth/${clientVersion} (linux)` });
}

interface Given {
  readonly username: string;
  readonly password: string;
}

async function givenCredentials({ flags, environment }: CommandContext): Promise<Given> {
  const { stderr, stdin } = environment;
  const username = (flags.string('username') ?? '').trim();
  const password = flags.string('password') ?? '';
  if (flags.has('password')) {
    stderr.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
    if (flags.bool('password-stdin'))
      throw new BerthError('invalid', '--password and --password-stdin are mutually exclusive');
    if (password === '') throw new BerthError('invalid', 'password is empty');
  }
  if (!flags.bool('password-stdin')) return { username, password };
  if (username === '') throw new BerthError('invalid', 'Must provide --username with --password-stdin');
  return { username, password: await readAll(stdin) };
}

/** All of stdin, without the line end that `echo` leaves behind. */
async function readAll(stdin: CliEnvironment['stdin']): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > MAX_PASSWORD_BYTES) throw new BerthError('invalid', 'the password on stdin is too long to be one');
    chunks.push(bytes);
  }
  const password = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (password === '') throw new BerthError('invalid', 'password is empty');
  return password;
}

/** @returns true when what is stored is still good */
async function useExisting(
  { registry, store, client }: { registry: string; store: CredentialStore; client: RegistryClient },
  { stderr }: CliEnvironment,
): Promise<boolean> {
  const existing = await store.find(registry);
  if (existing === undefined) return false;
  const user = existing.kind === 'password' ? ` [Username: ${existing.username}]` : '';
  stderr.write(`Authenticating with existing credentials...${user}\n`);
  try {
    await client.logIn(registry, existing);
    return true;
  } catch (error) {
    if (!isBerthError(error) || error.kind !== 'unauthorized') throw error;
    stderr.write(`Login did not succeed, error: ${error.message}\n`);
    return false;
  }
}

/** Asks for what is missing. */
async function completed(given: Given, registry: string, environment: CliEnvironment): Promise<Credentials> {
  let { username, password } = given;
  if (username === '') {
    if (registry === 'docker.io' && environment.stdin.isTTY) {
      environment.stdout.write('Log in with your Docker ID to push and pull images from Docker Hub.\n');
    }
    username = (await prompt('Username: ', environment)).trim();
    if (username === '') throw new BerthError('invalid', 'username is required');
  }
  if (password === '') {
    password = await prompt('Password: ', environment, { hidden: true });
    if (password === '') throw new BerthError('invalid', 'password is required');
  }
  return { kind: 'password', username, password };
}

function plainWarning(file: string): string {
  return [
    '',
    `WARNING! Your credentials are stored unencrypted in '${file}'.`,
    'Configure a credential helper to remove this warning. See',
    'https://docs.docker.com/go/credential-store/',
    '',
    '',
  ].join('\n');
}
