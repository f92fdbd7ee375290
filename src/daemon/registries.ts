import { readFileSync } from 'node:fs';
import packageJson from '../../package.json' with { type: 'json' };
import { BerthError } from '../errors/index.ts';
import {
  createRegistryClient,
  parseRegistryConfig,
  type RegistryClient,
  type RegistryConfig,
} from '../registry-client/index.ts';
import type { EngineConfig } from './config.ts';

/** Opens the engine's way to registries, as its configuration file says. @throws BerthError `invalid` */
export function openRegistryClient(
  { registriesFile, certificateFolders }: Pick<EngineConfig, 'registriesFile' | 'certificateFolders'>,
  now: () => number,
): RegistryClient {
  const config = { certificateFolders, ...readRegistriesFile(registriesFile) };
  return createRegistryClient({ config, now, userAgent: `berth/${packageJson.version} (linux)` });
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
