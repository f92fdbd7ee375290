import { readFileSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };
import { BerthError } from '../errors/index.ts';
import {
  createRegistryClient,
  parseRegistryConfig,
  type RegistryClient,
  type RegistryClientOptions,
  type RegistryConfig,
} from '../registry-client/index.ts';
import type { Capability } from '../runtime/index.ts';
import type { EngineConfig } from './config.ts';

const PROBE_MS = 5000;

type RegistryFiles = Pick<EngineConfig, 'registriesFile' | 'certificateFolders'>;

/** Opens the engine's way to registries, as its configuration file says. @throws BerthError `invalid` */
export function openRegistryClient(
  { registriesFile, certificateFolders }: RegistryFiles,
  now: () => number,
  retry: RegistryClientOptions['retry'] = {},
): RegistryClient {
  const config = { certificateFolders, ...readRegistriesFile(registriesFile) };
  return createRegistryClient({
    config,
    now,
    retry,
    env: process.env,
    userAgent: `berth/${packageJson.version} (linux)`,
  });
}

/** What `doctor` says about registries: without one there is still a way to bring images. */
export async function probeRegistry(config: RegistryFiles): Promise<Capability> {
  const row = { name: 'registry', required: false, ok: true } as const;
  try {
    const client = openRegistryClient(config, Date.now, { attempts: 1 });
    try {
      const { origin } = await client.ping('docker.io', AbortSignal.timeout(PROBE_MS));
      return { ...row, status: 'ok', detail: `${origin.host} answers` };
    } finally {
      client.close();
    }
  } catch (error) {
    const { message, name } = error as Error;
    const detail = name === 'TimeoutError' ? `docker.io does not answer within ${PROBE_MS / 1000} seconds` : message;
    return {
      ...row,
      status: 'limited',
      detail,
      advice: 'images can be loaded from archives: berth load, berth import',
    };
  }
}

/** The file need not exist. */
function readRegistriesFile(file: string): RegistryConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    return parseRegistryConfig(JSON.parse(text));
  } catch (error) {
    throw new BerthError('invalid', `${file}: ${(error as Error).message}`, {
      hint: 'mend the file, or set BERTH_REGISTRIES to another one',
    });
  }
}
