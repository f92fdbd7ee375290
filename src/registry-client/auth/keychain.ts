import { objectOf, readConfigFile } from './config-file.ts';
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

/** The parts of `config.json` that are about registries. */
interface RegistrySettings {
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
      const config = settingsOf(readConfigFile(options.file).value);
      const key = keyOf(registry);
      const program = programFor(config, registry);
      if (program !== undefined) {
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

/** The name under which a registry's credentials are kept. */
export function keyOf(registry: string): string {
  return registry === 'docker.io' ? HUB_KEY : registry;
}

/** Keys of `auths` are hosts, or URLs that older versions wrote. */
export function registryOf(key: string): string {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}

export function settingsOf(value: Readonly<Record<string, unknown>>): RegistrySettings {
  const store = value['credsStore'];
  return {
    auths: objectOf(value['auths']) ?? {},
    credHelpers: objectOf(value['credHelpers']) ?? {},
    credsStore: typeof store === 'string' ? store : undefined,
  };
}

/** The credential helper of a registry, if it has one: its own, or the one of all. */
export function programFor({ credHelpers, credsStore }: RegistrySettings, registry: string): string | undefined {
  const program = credHelpers[registry] ?? credHelpers[keyOf(registry)] ?? credsStore;
  return typeof program === 'string' && program !== '' ? program : undefined;
}

function parseEntry(entry: unknown): Credentials | undefined {
  const fields = objectOf(entry) ?? {};
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
