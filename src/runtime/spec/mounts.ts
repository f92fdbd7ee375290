import { posix } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import type { OciMount } from './oci-config.ts';

export interface BindRequest {
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
  readonly options: readonly string[];
  /** A path within the source, whose links must not lead out of it. */
  readonly subpath?: string;
}

export interface TmpfsRequest {
  readonly target: string;
  /** As in `--tmpfs PATH:OPTIONS`. */
  readonly options: string;
}

/** The kernel's file systems of a container, in the order in which they are mounted. @see moby oci/defaults.go */
export function kernelMounts(options: {
  readonly shmSizeBytes: number;
  readonly shm: { readonly kind: 'own' | 'none' } | { readonly kind: 'bind'; readonly source: string };
  readonly privileged: boolean;
  readonly cgroup: boolean;
}): readonly OciMount[] {
  const access = options.privileged ? 'rw' : 'ro';
  const mounts: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] },
    // In the namespace that the container has, its own or a shared one.
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    ...sharedMemoryMount(options),
  ];
  if (options.cgroup) {
    mounts.push({
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [access, 'nosuid', 'noexec', 'nodev'],
    });
  }
  return mounts;
}

function sharedMemoryMount({
  shm,
  shmSizeBytes,
}: Pick<Parameters<typeof kernelMounts>[0], 'shm' | 'shmSizeBytes'>): OciMount[] {
  const destination = '/dev/shm';
  const options = ['nosuid', 'noexec', 'nodev'];
  if (shm.kind === 'none') return [];
  if (shm.kind === 'bind')
    return [{ destination, type: 'bind', source: shm.source, options: ['rbind', 'rprivate', ...options] }];
  return [{ destination, type: 'tmpfs', source: 'shm', options: [...options, 'mode=1777', `size=${shmSizeBytes}`] }];
}

const propagations = new Set(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared']);
/** Relabelling, copying and macOS consistency mean nothing for a plain bind on Linux: Docker accepts and drops them. */
const withoutEffect = new Set([
  'z',
  'Z',
  'nocopy',
  'volume-nocopy',
  'consistent',
  'cached',
  'delegated',
  'ro',
  'rw',
  'bind',
  'rbind',
]);

/** @throws BerthError `invalid` for an option that a bind mount does not have */
export function bindMount(bind: BindRequest): OciMount {
  const propagation = bind.options.filter((option) => propagations.has(option));
  const unknown = bind.options.find((option) => !propagations.has(option) && !withoutEffect.has(option));
  if (unknown !== undefined) {
    throw new BerthError('invalid', `invalid mount option "${unknown}" for ${bind.target}`, {
      hint: `a bind mount takes ro, rw, z, Z and one of ${[...propagations].join(', ')}`,
    });
  }
  if (propagation.length > 1) {
    throw new BerthError('invalid', `mount ${bind.target} names more than one propagation: ${propagation.join(', ')}`);
  }
  const recursion = bind.options.includes('bind') ? 'bind' : 'rbind';
  // `rro` makes the mounts below the source read-only too, where `ro` alone would leave them writable.
  const access = bind.readonly ? (recursion === 'rbind' ? ['ro', 'rro'] : ['ro']) : ['rw'];
  return {
    destination: cleanPath(bind.target),
    type: 'bind',
    source: bind.source,
    options: [recursion, ...access, propagation[0] ?? 'rprivate'],
  };
}

/** Flags by which a later word takes back an earlier one. */
const opposites: Readonly<Record<string, string>> = {
  exec: 'noexec',
  noexec: 'exec',
  suid: 'nosuid',
  nosuid: 'suid',
  dev: 'nodev',
  nodev: 'dev',
  ro: 'rw',
  rw: 'ro',
  sync: 'async',
  async: 'sync',
  atime: 'noatime',
  noatime: 'atime',
  diratime: 'nodiratime',
  nodiratime: 'diratime',
  relatime: 'norelatime',
  norelatime: 'relatime',
  strictatime: 'nostrictatime',
  nostrictatime: 'strictatime',
};
const tmpfsData = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);

/**
 * A tmpfs, by default `noexec,nosuid,nodev`, as Docker makes it.
 * @throws BerthError `invalid` for an option that tmpfs does not have
 */
export function tmpfsMount(request: TmpfsRequest): OciMount {
  const flags = new Set(['noexec', 'nosuid', 'nodev']);
  const data = new Map<string, string>();
  for (const option of request.options.split(',').filter((word) => word !== '')) {
    const [name = '', value] = option.split('=', 2);
    if (value !== undefined && tmpfsData.has(name)) data.set(name, option);
    else if (value === undefined && (name in opposites || propagations.has(name))) {
      flags.delete(opposites[name] ?? '');
      flags.add(name);
    } else {
      throw new BerthError('invalid', `invalid tmpfs option "${option}" for ${request.target}`, {
        hint: `tmpfs takes flags such as ro or exec, and ${[...tmpfsData].join('=, ')}=`,
      });
    }
  }
  if (![...flags].some((flag) => propagations.has(flag))) flags.add('rprivate');
  return {
    destination: cleanPath(request.target),
    type: 'tmpfs',
    source: 'tmpfs',
    options: [...flags, ...data.values()],
  };
}

/** Without `..` and a slash at the end, so that equal targets are equal texts. */
function cleanPath(path: string): string {
  return posix.normalize(path).replace(/(.)\/$/, '$1');
}

/** A parent is mounted before what lies in it, whatever order the user gave. */
export function byDepth(mounts: readonly OciMount[]): readonly OciMount[] {
  const depth = (mount: OciMount) => mount.destination.split('/').filter((part) => part !== '').length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}
