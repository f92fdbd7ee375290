import { BerthError } from '../../errors/index.ts';
import type { BindRequest, CacheRequest, MountRequest, TmpfsRequest, VolumeMountRequest } from './mount-request.ts';
import { cleanPath } from './mount-request.ts';

/** An entry of `HostConfig.Mounts`. @see Docker Engine API v1.50, `Mount` */
interface MountBody {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    /** Berth's own: the source's owner is shown as the container's user. */
    readonly Idmap?: boolean;
    readonly CreateMountpoint?: boolean;
    readonly ReadOnlyNonRecursive?: boolean;
    readonly ReadOnlyForceRecursive?: boolean;
  };
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly DriverConfig?: {
      readonly Name?: string;
      readonly Options?: Readonly<Record<string, string>> | null;
    } | null;
    readonly Subpath?: string;
  };
  /** Berth's own. */
  readonly CacheOptions?: { readonly Id?: string; readonly Sharing?: string };
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number;
    readonly Mode?: number;
    readonly Options?: readonly (readonly string[])[] | null;
  };
}

/** Which kind of mount each group of options belongs to. */
const OPTIONS_OF = {
  BindOptions: 'bind',
  VolumeOptions: 'volume',
  TmpfsOptions: 'tmpfs',
  CacheOptions: 'cache',
} as const;

/** Reads `--mount` values. @throws BerthError `invalid`, and `unsupported` for kinds that are not there */
export function parseMounts(value: unknown): readonly MountRequest[] {
  const mounts = Array.isArray(value) ? (value as readonly MountBody[]) : [];
  return mounts.map((mount) => {
    const { Target = '', Type = '' } = mount;
    if (!Target.startsWith('/')) throw invalid(mount, `invalid mount path: '${Target}' mount path must be absolute`);
    if (cleanPath(Target) === '/') throw invalid(mount, "invalid specification: destination can't be '/'");
    for (const [options, type] of Object.entries(OPTIONS_OF)) {
      if (mount[options as keyof typeof OPTIONS_OF] && Type !== type) {
        throw invalid(mount, `field ${options} must not be specified`);
      }
    }
    const shared = { target: cleanPath(Target), readonly: mount.ReadOnly ?? false, mode: '' };
    if (Type === 'bind') return bindOf(mount, shared);
    if (Type === 'volume') return volumeOf(mount, shared);
    if (Type === 'tmpfs') return tmpfsOf(mount, shared);
    if (Type === 'cache') return cacheOf(mount, shared);
    throw new BerthError(
      Type === 'image' || Type === 'cluster' || Type === 'npipe' ? 'unsupported' : 'invalid',
      Type === '' ? 'mount type is required' : `mount type unknown: ${JSON.stringify(Type)}`,
      { hint: 'use type=bind, type=volume or type=tmpfs' },
    );
  });
}

type Shared = Pick<MountRequest, 'target' | 'readonly' | 'mode'>;

function bindOf(mount: MountBody, shared: Shared): BindRequest {
  if (!mount.Source) throw invalid(mount, 'field Source must not be empty');
  if (!mount.Source.startsWith('/')) {
    throw invalid(mount, `invalid mount path: '${mount.Source}' mount path must be absolute`);
  }
  const { Propagation, NonRecursive = false, Idmap = false, CreateMountpoint = false } = mount.BindOptions ?? {};
  return {
    type: 'bind',
    ...shared,
    source: cleanPath(mount.Source),
    options: [...(Propagation ? [Propagation] : []), ...(NonRecursive ? ['bind'] : []), ...(Idmap ? ['idmap'] : [])],
    mustExist: !CreateMountpoint,
  };
}

function volumeOf(mount: MountBody, shared: Shared): VolumeMountRequest {
  const { NoCopy = false, Labels, DriverConfig, Subpath } = mount.VolumeOptions ?? {};
  if (Subpath && !mount.Source) throw invalid(mount, 'must not set Subpath when using anonymous volumes');
  if (Subpath && (Subpath.startsWith('/') || Subpath.split('/').includes('..'))) {
    throw invalid(mount, `subpath must be a relative path within the volume: ${Subpath}`);
  }
  return {
    type: 'volume',
    ...shared,
    noCopy: NoCopy || Boolean(Subpath),
    ...(mount.Source ? { name: mount.Source } : {}),
    ...(DriverConfig?.Name ? { driver: DriverConfig.Name } : {}),
    ...(DriverConfig?.Options ? { driverOptions: DriverConfig.Options } : {}),
    ...(Labels ? { labels: Labels } : {}),
    ...(Subpath ? { subpath: Subpath } : {}),
  };
}

const SHARING = ['shared', 'private', 'locked'] as const;

/** Without an id it is called as its place, as in a Dockerfile. */
function cacheOf(mount: MountBody, shared: Shared): CacheRequest {
  if (mount.Source) throw invalid(mount, 'field Source must not be specified');
  const { Id = shared.target, Sharing = 'shared' } = mount.CacheOptions ?? {};
  const sharing = SHARING.find((known) => known === Sharing);
  if (!sharing) throw invalid(mount, `sharing must be ${SHARING.join(', ')}, not ${Sharing}`);
  return { type: 'cache', ...shared, id: Id, sharing };
}

function tmpfsOf(mount: MountBody, shared: Shared): TmpfsRequest {
  if (mount.Source) throw invalid(mount, 'field Source must not be specified');
  const { SizeBytes, Mode, Options } = mount.TmpfsOptions ?? {};
  const options = [
    ...(SizeBytes ? [`size=${SizeBytes}`] : []),
    ...(Mode ? [`mode=${Mode.toString(8)}`] : []),
    ...(shared.readonly ? ['ro'] : []),
    ...(Options ?? []).map((words) => words.join('=')),
  ];
  return { type: 'tmpfs', ...shared, options: options.join(','), isListed: true };
}

function invalid({ Type }: MountBody, why: string): BerthError {
  return new BerthError('invalid', `invalid mount config for type "${Type ?? ''}": ${why}`);
}
