import { isAbsolute, resolve } from 'node:path';
import { nearest } from '../../diagnostics/index.ts';
import { BerthError } from '../../errors/index.ts';
import { parseSize } from '../../units/index.ts';
import { splitCsv } from './csv.ts';
import { keyValues } from './key-values.ts';

/** `HostConfig.Mounts` of the Engine API. */
export interface MountBody {
  readonly Type: 'bind' | 'volume' | 'tmpfs' | 'cache';
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly Idmap?: boolean;
    readonly CreateMountpoint?: boolean;
  };
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly Subpath?: string;
    readonly DriverConfig?: { readonly Name?: string; readonly Options?: Readonly<Record<string, string>> };
  };
  readonly CacheOptions?: { readonly Id?: string; readonly Sharing?: string };
  readonly TmpfsOptions?: { readonly SizeBytes?: number; readonly Mode?: number };
}

const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};
const KEYS = [
  'type',
  'source',
  'target',
  'readonly',
  'bind-propagation',
  'bind-nonrecursive',
  'idmap',
  'consistency',
  'volume-nocopy',
  'volume-label',
  'volume-driver',
  'volume-opt',
  'volume-subpath',
  'tmpfs-size',
  'tmpfs-mode',
  'id',
  'sharing',
];
const PLANNED = new Set(['bind-recursive', 'image-subpath']);
/** May stand without a value. */
const SWITCHES = new Set(['readonly', 'bind-nonrecursive', 'idmap', 'volume-nocopy']);
/** May stand several times. */
const LISTS = new Set(['volume-label', 'volume-opt']);

/** Reads one `--mount`: `type=bind,source=/a,target=/b,readonly`. @throws BerthError `invalid`, `unsupported` */
export function parseMount(text: string, cwd: string): MountBody {
  const fail = (why: string, hint?: string) =>
    new BerthError(
      'invalid',
      `invalid argument ${JSON.stringify(text)} for "--mount" flag: ${why}`,
      hint ? { hint } : {},
    );
  const options = new Map<string, string>();
  const lists = new Map<string, string[]>([...LISTS].map((key) => [key, []]));
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const key = ALIASES[written] ?? written;
    if (PLANNED.has(key)) throw new BerthError('unsupported', `--mount ${key} is not there yet`);
    if (!KEYS.includes(key)) {
      const meant = nearest(written, [...KEYS, ...Object.keys(ALIASES)]);
      throw fail(`unexpected key '${written}' in '${field}'`, meant && `did you mean ${meant}?`);
    }
    if (equals < 0 && !SWITCHES.has(key)) throw fail(`invalid field '${field}' must be a key=value pair`);
    lists.get(key)?.push(field.slice(equals + 1));
    options.set(key, equals < 0 ? 'true' : field.slice(equals + 1));
  }
  const type = options.get('type')?.toLowerCase() ?? 'volume';
  const target = options.get('target');
  if (!target) throw fail('target is required');
  if (!isAbsolute(target)) throw fail('target must be an absolute path');
  const readonly = readBool(options.get('readonly'), () => fail(`readonly must be true or false`));
  const shared = { Target: target, ...(readonly ? { ReadOnly: true } : {}) };
  const foreign = [...options.keys()].find((key) => /^(bind|volume|tmpfs)-/.test(key) && !key.startsWith(`${type}-`));
  if (foreign) throw fail(`cannot mix '${foreign.replace(/-.*/, '-*')}' options with mount type '${type}'`);
  if (type === 'tmpfs') {
    if (options.has('source')) throw fail('a tmpfs has no source');
    return { Type: 'tmpfs', ...shared, ...tmpfsOptions(options, fail) };
  }
  const source = options.get('source');
  if (type === 'volume') {
    return { Type: 'volume', ...(source ? { Source: source } : {}), ...shared, ...volumeOptions(options, lists, fail) };
  }
  const [id, sharing] = [options.get('id'), options.get('sharing')];
  if (type === 'cache') {
    const cache = { ...(id ? { Id: id } : {}), ...(sharing ? { Sharing: sharing } : {}) };
    return { Type: 'cache', ...shared, CacheOptions: cache };
  }
  if (id !== undefined || sharing !== undefined) throw fail(`id and sharing are for type=cache`);
  if (type !== 'bind') {
    throw new BerthError('unsupported', `--mount type=${type} is not there yet`, {
      hint: 'use type=bind, type=volume, type=tmpfs or type=cache',
    });
  }
  if (!source) throw fail('source is required');
  return { Type: 'bind', Source: resolve(cwd, source), ...shared, ...bindOptions(options, fail) };
}

type Fail = (why: string) => BerthError;

function bindOptions(options: ReadonlyMap<string, string>, fail: Fail): Pick<MountBody, 'BindOptions'> {
  const propagation = options.get('bind-propagation');
  if (propagation !== undefined && !/^r?(private|shared|slave)$/.test(propagation)) {
    throw fail(`invalid propagation '${propagation}'`);
  }
  const flat = readBool(options.get('bind-nonrecursive'), () => fail('bind-nonrecursive must be true or false'));
  const idmap = readBool(options.get('idmap'), () => fail('idmap must be true or false'));
  if (propagation === undefined && !flat && !idmap) return {};
  return {
    BindOptions: {
      ...(propagation ? { Propagation: propagation } : {}),
      ...(flat ? { NonRecursive: true } : {}),
      ...(idmap ? { Idmap: true } : {}),
    },
  };
}

function volumeOptions(
  options: ReadonlyMap<string, string>,
  lists: ReadonlyMap<string, readonly string[]>,
  fail: Fail,
): Pick<MountBody, 'VolumeOptions'> {
  const driver = options.get('volume-driver');
  const labels = keyValues(lists.get('volume-label') ?? []);
  const driverOptions = keyValues(lists.get('volume-opt') ?? []);
  const subpath = options.get('volume-subpath');
  const noCopy = readBool(options.get('volume-nocopy'), () => fail('volume-nocopy must be true or false'));
  const hasOptions = Object.keys(driverOptions).length > 0;
  const volume = {
    ...(noCopy ? { NoCopy: true } : {}),
    ...(Object.keys(labels).length > 0 ? { Labels: labels } : {}),
    ...(subpath ? { Subpath: subpath } : {}),
    ...(driver || hasOptions
      ? { DriverConfig: { ...(driver ? { Name: driver } : {}), ...(hasOptions ? { Options: driverOptions } : {}) } }
      : {}),
  };
  return Object.keys(volume).length > 0 ? { VolumeOptions: volume } : {};
}

function tmpfsOptions(options: ReadonlyMap<string, string>, fail: Fail): Pick<MountBody, 'TmpfsOptions'> {
  const size = options.get('tmpfs-size');
  const mode = options.get('tmpfs-mode');
  if (mode !== undefined && !/^[0-7]{1,5}$/.test(mode))
    throw fail(`invalid mode '${mode}': write it in octal, as 1777`);
  if (size === undefined && mode === undefined) return {};
  return {
    TmpfsOptions: {
      ...(size === undefined ? {} : { SizeBytes: parseSize(size) }),
      ...(mode === undefined ? {} : { Mode: Number.parseInt(mode, 8) }),
    },
  };
}

function readBool(text: string | undefined, fail: () => BerthError): boolean {
  if (text === undefined) return false;
  if (/^(true|1|t)$/i.test(text)) return true;
  if (/^(false|0|f)$/i.test(text)) return false;
  throw fail();
}

export interface Volumes {
  /** `source:target[:options]`, sources absolute or names of volumes. */
  readonly binds: readonly string[];
  /** Targets without a source. */
  readonly anonymous: Readonly<Record<string, object>>;
}

/** Reads `--volume`: a source that starts with `.` or `/` is a path, another one the name of a volume. */
export function parseVolumes(texts: readonly string[], cwd: string): Volumes {
  const binds: string[] = [];
  const anonymous: Record<string, object> = {};
  for (const text of texts) {
    const parts = text.split(':');
    const [source, target] = parts;
    const fail = (why: string) => new BerthError('invalid', `invalid volume specification: '${text}': ${why}`);
    if (parts.length > 3) throw fail('write source:target[:options]');
    if (parts.some((part) => part === '')) throw fail('a part is empty');
    const path = parts.length === 1 ? source! : target!;
    if (!isAbsolute(path)) throw fail(`'${path}' must be an absolute path in the container`);
    if (parts.length === 1) anonymous[path] = {};
    else
      binds.push(
        [
          /^\.{0,2}\//.test(source!) || /^\.{1,2}$/.test(source!) ? resolve(cwd, source!) : source,
          ...parts.slice(1),
        ].join(':'),
      );
  }
  return { binds, anonymous };
}
