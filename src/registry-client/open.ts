import { readFileSync } from 'node:fs';
import { BerthError } from '../errors/index.ts';
import type { Registry } from '../oci/index.ts';
import { createRegistryClient, type RegistryClient, type RegistryClientOptions } from './client.ts';
import { parseRegistryConfig, type RegistryConfig } from './config.ts';

/** Where a machine says how its registries are reached. Paths are absolute. */
export interface RegistryFiles {
  /** JSON with mirrors, blocks and the like; it need not exist. */
  readonly registriesFile: string;
  /** Folders of certificates by registry, the first one first. */
  readonly certificateFolders: readonly string[];
}

/** `BERTH_REGISTRIES` and `BERTH_CERTS_D`, or their usual places. @throws BerthError `invalid` naming the variable */
export function registryFilesOf(env: Readonly<Record<string, string | undefined>>): RegistryFiles {
  const absolute = (name: string, usual: readonly string[]): readonly string[] => {
    const path = env[name];
    if (!path) return usual;
    if (path.startsWith('/')) return [path.replace(/\/+$/, '') || '/'];
    throw new BerthError('invalid', `${name} must be an absolute path, not ${JSON.stringify(path)}`);
  };
  const [registriesFile = ''] = absolute('BERTH_REGISTRIES', ['/etc/berth/registries.json']);
  return {
    registriesFile,
    certificateFolders: absolute('BERTH_CERTS_D', ['/etc/berth/certs.d', '/etc/docker/certs.d']),
  };
}

export interface OpenRegistriesOptions extends Omit<RegistryClientOptions, 'config'> {
  readonly files: RegistryFiles;
  /** Registries that may be plain http or show unknown certificates, whatever the configuration says of them. */
  readonly insecure?: readonly Registry[];
}

/**
 * A client that reaches registries as this machine's configuration says: the engine and commands have the same one.
 * @throws BerthError `invalid` naming the file
 */
export function openRegistries({ files, insecure = [], ...options }: OpenRegistriesOptions): RegistryClient {
  const { registriesFile, certificateFolders } = files;
  const config = { certificateFolders, ...readRegistriesFile(registriesFile) };
  return createRegistryClient({ ...options, config: insecure.reduce(withInsecure, config) });
}

function withInsecure(config: RegistryConfig, registry: Registry): RegistryConfig {
  const rules = config.rules ?? [];
  const isOwn = (prefix: string) => prefix === registry || prefix.startsWith(`${registry}/`);
  return {
    ...config,
    rules: [
      ...rules.map((rule) => (isOwn(rule.prefix) ? { ...rule, insecure: true } : rule)),
      ...(rules.some(({ prefix }) => prefix === registry) ? [] : [{ prefix: registry, insecure: true }]),
    ],
  };
}

function readRegistriesFile(file: string): RegistryConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new BerthError('invalid', `${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    return parseRegistryConfig(JSON.parse(text));
  } catch (error) {
    throw new BerthError('invalid', `${file}: ${(error as Error).message}`, {
      hint: 'mend the file, or set BERTH_REGISTRIES to another one',
    });
  }
}
