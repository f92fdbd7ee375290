import { type JsonObject, objectOf, readConfigFile, updateConfigFile } from './config-file.ts';
import { eraseFromProgram, listOfProgram, storeInProgram } from './credential-program.ts';
import {
  type Credentials,
  createKeychain,
  type Keychain,
  keyOf,
  programFor,
  registryOf,
  settingsOf,
} from './keychain.ts';

/** Where logins are kept: a keychain that can be written. Registries are `docker.io`, `localhost:5000`. */
export interface CredentialStore extends Keychain {
  /** @returns whether they lie in the file, unencrypted. @throws BerthError `unavailable`, `invalid` */
  store(registry: string, credentials: Credentials, signal?: AbortSignal): Promise<{ readonly isPlain: boolean }>;
  /** Idempotent. @returns false when there were none */
  erase(registry: string, signal?: AbortSignal): Promise<boolean>;
  /** Registries that there may be credentials for, without their secrets. */
  list(signal?: AbortSignal): Promise<readonly string[]>;
}

export interface CredentialStoreOptions {
  /** `config.json`. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly programTimeoutMs?: number;
}

/** Opens the store that docker's client uses, too: helpers where the file names them, else the file. */
export function openCredentialStore(options: CredentialStoreOptions): CredentialStore {
  const { file, env, now, programTimeoutMs: timeoutMs = 30_000 } = options;
  const settings = () => settingsOf(readConfigFile(file).value);
  return {
    ...createKeychain(options),
    async store(registry, credentials, signal) {
      const program = programFor(settings(), registry);
      if (program !== undefined)
        await storeInProgram(program, keyOf(registry), credentials, { env, timeoutMs, signal });
      // The empty entry tells docker's client that the helper has something.
      const entry = program === undefined ? entryOf(credentials) : {};
      await updateConfigFile(
        file,
        (value) => withAuths(value, { ...others(value, registry), [keyOf(registry)]: entry }),
        now,
      );
      return { isPlain: program === undefined };
    },
    async erase(registry, signal) {
      const { auths } = settings();
      const program = programFor(settings(), registry);
      const inFile = Object.keys(auths).some((key) => registryOf(key) === registry);
      const inProgram =
        program !== undefined && (await eraseFromProgram(program, keyOf(registry), { env, timeoutMs, signal }));
      if (inFile) await updateConfigFile(file, (value) => withAuths(value, others(value, registry)), now);
      return inFile || inProgram;
    },
    async list(signal) {
      const { auths, credHelpers, credsStore } = settings();
      const programs = { env, timeoutMs, signal };
      const stored = credsStore ? await listOfProgram(credsStore, programs) : [];
      return [...new Set([...Object.keys(auths), ...Object.keys(credHelpers), ...stored].map(registryOf))];
    },
  };
}

function withAuths(value: JsonObject, auths: JsonObject): JsonObject {
  return { ...value, auths };
}

function others({ auths }: JsonObject, registry: string): JsonObject {
  return Object.fromEntries(Object.entries(objectOf(auths) ?? {}).filter(([key]) => registryOf(key) !== registry));
}

function entryOf(credentials: Credentials): JsonObject {
  switch (credentials.kind) {
    case 'password':
      return { auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64') };
    case 'identity':
      return { identitytoken: credentials.token };
    case 'bearer':
      return { registrytoken: credentials.token };
  }
}
