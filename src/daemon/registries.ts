import packageJson from '../../package.json' with { type: 'json' };
import { limitReceiveBuffer } from '../linux/index.ts';
import {
  openRegistries,
  type RegistryClient,
  type RegistryClientOptions,
  registryFilesOf,
} from '../registry-client/index.ts';
import type { Capability } from '../runtime/index.ts';

const PROBE_MS = 5000;

/** The engine's way to registries. @throws BerthError `invalid` for a wrong configuration */
export function openRegistryClient(
  now: () => number,
  retry: NonNullable<RegistryClientOptions['retry']> = {},
): RegistryClient {
  return openRegistries({
    files: registryFilesOf(process.env),
    now,
    retry,
    env: process.env,
    // A pull that is killed has little to fetch again.
    connected: tryEach(limitReceiveBuffer),
    userAgent: `berth/${packageJson.version} (linux)`,
  });
}

/** What `doctor` says about registries: without one there is still a way to bring images. */
export async function probeRegistry(): Promise<Capability> {
  const row = { name: 'registry', required: false, ok: true } as const;
  try {
    const client = openRegistryClient(Date.now, { attempts: 1 });
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

/** A socket that closed meanwhile, or a kernel that refuses, is no reason to fail. */
function tryEach(tune: (fd: number) => void): (fd: number) => void {
  return (fd) => {
    try {
      tune(fd);
    } catch {
      // The kernel's own size stays.
    }
  };
}
