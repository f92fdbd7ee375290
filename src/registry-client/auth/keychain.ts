import { readFileSync } from 'node:fs';
import { BerthError } from '../../errors/index.ts';
import { askCredentialProgram } from './credential-program.ts';

/** What proves who somebody is at a registry. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Exchanged for access tokens by OAuth2. */
  | { readonly kind: 'identity'; readonly token: string }
  /** An access token, used as it is. */
  | { readonly kind: 'bearer'; readonly token: string };

/** Finds credentials by registry: `docker.io`, `localhost:5000`. */
export interface Keychain {
  find(registry: string, signal?: AbortSignal): Promise<Credentials | undefined>;
}

/** The key under which docker keeps its Hub's credentials. */
export const HUB_KEY = 'https://index.docker.io/v1/';

interface ConfigFile {
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: string | undefined;
}

/**
 * Credentials as docker keeps them: `credHelpers` of a registry, else `credsStore`, else `auths` of the file. The file is
 * read on each look, so that a login counts at once. A missing file holds nothing.
 * @see docker documentation, "docker login", "Credential stores"
 */
export function createKeychain(options: {
  /** `config.json`. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly programTimeoutMs?: number;
}): Keychain {
  return {
    async find(registry, signal) {
      const config = readConfigFile(options.file);
      const key = registry === 'docker.io' ? HUB_KEY : registry;
      const program = config.credHelpers[registry] ?? config.credHelpers[key] ?? config.credsStore;
      if (typeof program === 'string' && program !== '') {
        const asked = await askCredentialProgram(program, key, {
          env: options.env,
          timeoutMs: options.programTimeoutMs ?? 30_000,
          signal,
        });
        if (asked) return asked;
      }
      const entry = Object.entries(config.auths).find(([name]) => registryOf(name) === registry)?.[1];
      return entry === undefined ? undefined : parseEntry(entry);
    },
  };
}

/** Keys of `auths` are hosts, or URLs that older versions wrote. */
function registryOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

/** Reads the part of `config.json` that is about registries. @throws BerthError `invalid`, without the file's text */
function readConfigFile(file: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return { auths: {}, credHelpers: {}, credsStore: undefined };
    throw new BerthError('invalid', `${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own words would repeat a piece of the file.
    throw new BerthError('invalid', `${file} is not JSON`);
  }
  const fields = record(value) ?? {};
  const store = fields['credsStore'];
  return {
    auths: record(fields['auths']) ?? {},
    credHelpers: record(fields['credHelpers']) ?? {},
    credsStore: typeof store === 'string' ? store : undefined,
  };
}

function parseEntry(entry: unknown): Credentials | undefined {
  const fields = record(entry) ?? {};
  const { identitytoken, registrytoken } = fields;
  if (typeof identitytoken === 'string' && identitytoken !== '') return { kind: 'identity', token: identitytoken };
  if (typeof registrytoken === 'string' && registrytoken !== '') return { kind: 'bearer', token: registrytoken };
  const both = typeof fields['auth'] === 'string' ? Buffer.from(fields['auth'], 'base64').toString('utf8') : '';
  const colon = both.indexOf(':');
  const username = colon > 0 ? both.slice(0, colon) : fields['username'];
  const password = colon > 0 ? both.slice(colon + 1).replace(/\0+$/, '') : fields['password'];
  if (typeof username !== 'string' || typeof password !== 'string' || username === '') return undefined;
  return { kind: 'password', username, password };
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
