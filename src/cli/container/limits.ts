import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { parseSize } from '../../units/index.ts';
import type { FlagValues } from '../syntax/flag-values.ts';
import { gpuRequest } from './gpus.ts';
import { keyValues } from './key-values.ts';

/** Flags that are numbers of `HostConfig` as they are. */
const NUMBERS: Readonly<Record<string, string>> = {
  'blkio-weight': 'BlkioWeight',
  'cpu-period': 'CpuPeriod',
  'cpu-quota': 'CpuQuota',
  'cpu-rt-period': 'CpuRealtimePeriod',
  'cpu-rt-runtime': 'CpuRealtimeRuntime',
  'cpu-shares': 'CpuShares',
  'kernel-memory': 'KernelMemory',
  memory: 'Memory',
  'memory-reservation': 'MemoryReservation',
  'memory-swappiness': 'MemorySwappiness',
  'oom-score-adj': 'OomScoreAdj',
  'pids-limit': 'PidsLimit',
};
const TEXTS: Readonly<Record<string, string>> = {
  'cgroup-parent': 'CgroupParent',
  cgroupns: 'CgroupnsMode',
  'cpuset-cpus': 'CpusetCpus',
  'cpuset-mems': 'CpusetMems',
  ipc: 'IpcMode',
  pid: 'PidMode',
  userns: 'UsernsMode',
  uts: 'UTSMode',
};
const LISTS: Readonly<Record<string, string>> = {
  'device-cgroup-rule': 'DeviceCgroupRules',
  'group-add': 'GroupAdd',
};
const RATES: Readonly<Record<string, readonly [field: string, read: (text: string) => number]>> = {
  'device-read-bps': ['BlkioDeviceReadBps', parseSize],
  'device-write-bps': ['BlkioDeviceWriteBps', parseSize],
  'device-read-iops': ['BlkioDeviceReadIOps', parseCount],
  'device-write-iops': ['BlkioDeviceWriteIOps', parseCount],
};

/** Limits that `update` can change, too. Only what was given. @throws BerthError `invalid` */
export function resourceLimits(flags: FlagValues): HostConfigBody {
  const swap = flags.string('memory-swap');
  const cpus = flags.number('cpus');
  return {
    ...numbers(flags, ['blkio-weight', 'cpu-period', 'cpu-quota', 'cpu-rt-period', 'cpu-rt-runtime', 'cpu-shares']),
    ...numbers(flags, ['kernel-memory', 'memory', 'memory-reservation', 'pids-limit']),
    ...texts(flags, ['cpuset-cpus', 'cpuset-mems']),
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
    ...(swap === undefined ? {} : { MemorySwap: swap === '-1' ? -1 : parseSize(swap) }),
  };
}

/** All limits and isolation that `run` and `create` take. @throws BerthError `invalid` */
export async function limitsAndIsolation(flags: FlagValues, cwd: string): Promise<HostConfigBody> {
  const security = await Promise.all(flags.list('security-opt').map((text) => securityOption(text, cwd)));
  const sysctls = keyValues(flags.list('sysctl'));
  return {
    ...resourceLimits(flags),
    ...numbers(flags, ['memory-swappiness', 'oom-score-adj']),
    ...texts(flags, ['cgroup-parent', 'cgroupns', 'ipc', 'pid', 'userns', 'uts']),
    ...lists(flags),
    ...(flags.bool('oom-kill-disable') ? { OomKillDisable: true } : {}),
    ...rates(flags),
    ...nonEmpty('BlkioWeightDevice', flags.list('blkio-weight-device').map(deviceWeight)),
    ...nonEmpty('Devices', flags.list('device').map(device)),
    ...nonEmpty('DeviceRequests', flags.has('gpus') ? [gpuRequest(flags.string('gpus') ?? '')] : []),
    ...nonEmpty('Ulimits', flags.list('ulimit').map(ulimit)),
    ...nonEmpty('SecurityOpt', security),
    ...(Object.keys(sysctls).length > 0 ? { Sysctls: sysctls } : {}),
  };
}

function numbers(flags: FlagValues, names: readonly string[]): HostConfigBody {
  return given(flags, names, (name) => [NUMBERS[name]!, flags.number(name)]);
}

function texts(flags: FlagValues, names: readonly string[]): HostConfigBody {
  return given(flags, names, (name) => [TEXTS[name]!, flags.string(name)]);
}

function given(
  flags: FlagValues,
  names: readonly string[],
  read: (name: string) => readonly [string, unknown],
): HostConfigBody {
  return Object.fromEntries(names.filter((name) => flags.has(name)).map(read));
}

function lists(flags: FlagValues): HostConfigBody {
  return Object.fromEntries(
    Object.entries(LISTS).flatMap(([name, field]) => {
      const values = flags.list(name);
      return values.length > 0 ? [[field, values]] : [];
    }),
  );
}

function rates(flags: FlagValues): HostConfigBody {
  return Object.fromEntries(
    Object.entries(RATES).flatMap(([name, [field, read]]) => {
      const values = flags.list(name).map((text) => {
        const { path, value } = deviceValue(text);
        return { Path: path, Rate: read(value) };
      });
      return values.length > 0 ? [[field, values]] : [];
    }),
  );
}

function deviceWeight(text: string): object {
  const { path, value } = deviceValue(text);
  return { Path: path, Weight: parseCount(value) };
}

/** `/dev/sda:1mb` */
function deviceValue(text: string): { readonly path: string; readonly value: string } {
  const [path = '', value = '', ...more] = text.split(':');
  if (path.startsWith('/dev/') && value !== '' && more.length === 0) return { path, value };
  const why = path.startsWith('/dev/') ? 'bad format' : 'bad format for device path';
  throw new BerthError('invalid', `${why}: ${text}`, { hint: 'write /dev/NAME:VALUE' });
}

function parseCount(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new BerthError('invalid', `invalid rate: ${text} is not a whole number`);
}

/** `SOURCE[:TARGET][:rwm]` */
function device(text: string): object {
  const [source = '', second = '', third = '', ...more] = text.split(':');
  if (source === '' || more.length > 0) throw new BerthError('invalid', `invalid device specification: ${text}`);
  const isMode = /^[rwm]{1,3}$/.test(second) && third === '';
  return {
    PathOnHost: source,
    PathInContainer: isMode || second === '' ? source : second,
    CgroupPermissions: (isMode ? second : third) || 'rwm',
  };
}

/** `NAME=SOFT[:HARD]` */
function ulimit(text: string): object {
  const match = /^([a-z]+)=(-?\d+|unlimited)(?::(-?\d+|unlimited))?$/i.exec(text);
  if (!match) {
    throw new BerthError('invalid', `invalid ulimit argument: ${text}`, {
      hint: 'write NAME=SOFT[:HARD], as nofile=1024',
    });
  }
  const [, name, soft, hard = soft] = match;
  const value = (limit: string | undefined) => (limit === 'unlimited' ? -1 : Number(limit));
  return { Name: name, Soft: value(soft), Hard: value(hard) };
}

/** A seccomp profile is read here: the engine gets its text. */
async function securityOption(text: string, cwd: string): Promise<string> {
  const file = /^seccomp[=:](.+)$/.exec(text)?.[1];
  if (file === undefined || file === 'unconfined' || file === 'builtin') return text;
  const profile = await readFile(resolve(cwd, file), 'utf8').catch((cause: Error) => {
    throw new BerthError('invalid', `opening seccomp profile (${file}) failed: ${cause.message}`, { cause });
  });
  try {
    return `seccomp=${JSON.stringify(JSON.parse(profile))}`;
  } catch (cause) {
    throw new BerthError(
      'invalid',
      `compacting json for seccomp profile (${file}) failed: ${(cause as Error).message}`,
    );
  }
}

function nonEmpty(field: string, values: readonly unknown[]): HostConfigBody {
  return values.length > 0 ? { [field]: values } : {};
}
