import { BerthError } from '../errors/index.ts';
import type { DriverName } from '../runtime/index.ts';
import { parseSize } from '../units/index.ts';

/** Where an engine keeps its things and how it behaves. All paths are absolute. */
export interface EngineConfig {
  /** Data that outlives a reboot: layers, images, containers. */
  readonly root: string;
  /** State that does not: the socket, runtime bundles, the engine's log. */
  readonly runRoot: string;
  readonly socket: string;
  readonly runtime: 'crun' | 'runc';
  /** Absent: the data folder's own, or the best that works there. */
  readonly storageDriver?: DriverName;
  /** How new layers are kept. */
  readonly layerForm: 'directory' | 'erofs';
  /** An engine with nothing to watch leaves after this long; 0 means never. */
  readonly idleSeconds: number;
  /** What a layer from outside may be at most; absent ones are as the README says. */
  readonly layerLimits: LayerLimits;
}

interface LayerLimits {
  readonly expansion?: number;
  readonly entries?: number;
  readonly bytes?: number;
}

const LAYER_LIMITS = ['expansion', 'entries', 'bytes'] as const;

/** A list of its own: who reads the configuration need not load the drivers. */
const STORAGE_DRIVERS: readonly DriverName[] = ['overlay2', 'btrfs', 'vfs'];
const DEFAULT_IDLE_SECONDS = 60;
/** A unix socket path holds 107 bytes; runtime bundles need some of them, too. */
const LONGEST_RUN_ROOT = 70;

/** @throws BerthError `invalid` naming the variable */
export function readConfig(env: Readonly<Record<string, string | undefined>>): EngineConfig {
  const runRoot = absolute('BERTH_RUN_ROOT', env['BERTH_RUN_ROOT'] || '/run/berth');
  if (Buffer.byteLength(runRoot) > LONGEST_RUN_ROOT) {
    throw new BerthError('invalid', `BERTH_RUN_ROOT is longer than ${LONGEST_RUN_ROOT} bytes: ${runRoot}`, {
      hint: 'unix sockets below it need short paths: choose one like /run/berth-2',
    });
  }
  return {
    root: absolute('BERTH_ROOT', env['BERTH_ROOT'] || '/var/lib/berth'),
    runRoot,
    socket: `${runRoot}/berth.sock`,
    runtime: runtimeName(env['BERTH_RUNTIME'] || 'crun'),
    ...storageDriver(env['BERTH_STORAGE_DRIVER']),
    layerForm: layerForm(env['BERTH_LAYER_FORM'] || 'directory'),
    idleSeconds: seconds('BERTH_IDLE_SECONDS', env['BERTH_IDLE_SECONDS']),
    layerLimits: layerLimits('BERTH_LAYER_LIMITS', env['BERTH_LAYER_LIMITS'] ?? ''),
  };
}

/** Where all of this version's data lies. */
export function dataFolderOf({ root }: Pick<EngineConfig, 'root'>): string {
  return `${root}/layout-v1`;
}

function absolute(name: string, path: string): string {
  if (path.startsWith('/')) return path.replace(/\/+$/, '') || '/';
  throw new BerthError('invalid', `${name} must be an absolute path, not ${JSON.stringify(path)}`);
}

function runtimeName(text: string): 'crun' | 'runc' {
  if (text === 'crun' || text === 'runc') return text;
  throw new BerthError('invalid', `BERTH_RUNTIME must be crun or runc, not ${JSON.stringify(text)}`);
}

function layerForm(text: string): 'directory' | 'erofs' {
  if (text === 'directory' || text === 'erofs') return text;
  throw new BerthError('invalid', `BERTH_LAYER_FORM must be directory or erofs, not ${JSON.stringify(text)}`);
}

function storageDriver(text: string | undefined): Pick<EngineConfig, 'storageDriver'> {
  if (!text) return {};
  // Docker and podman know the first by this name, too.
  const driver = STORAGE_DRIVERS.find((name) => name === text || (name === 'overlay2' && text === 'overlay'));
  if (driver) return { storageDriver: driver };
  throw new BerthError(
    'invalid',
    `BERTH_STORAGE_DRIVER must be one of ${STORAGE_DRIVERS.join(', ')}, not ${JSON.stringify(text)}`,
  );
}

function seconds(name: string, text: string | undefined): number {
  if (!text) return DEFAULT_IDLE_SECONDS;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new BerthError('invalid', `${name} must be a whole number of seconds, not ${JSON.stringify(text)}`);
}

/** `expansion=5000,entries=10000000,bytes=50g` */
function layerLimits(variable: string, text: string): LayerLimits {
  const limits: Partial<Record<(typeof LAYER_LIMITS)[number], number>> = {};
  for (const part of text.split(',').filter((word) => word !== '')) {
    const [key = '', value = ''] = part.split('=');
    const name = LAYER_LIMITS.find((known) => known === key.trim());
    if (!name || !/^\d+[bkmgt]?$/i.test(value.trim())) {
      throw new BerthError('invalid', `${variable} is wrong at ${JSON.stringify(part)}`, {
        hint: `write ${LAYER_LIMITS.map((known) => `${known}=NUMBER`).join(',')}`,
      });
    }
    limits[name] = parseSize(value.trim());
  }
  return limits;
}
