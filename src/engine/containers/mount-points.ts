import { access } from 'node:fs/promises';
import type { ContainerCreateBody, MountPoint } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { ContainerConfig } from '../../oci/index.ts';
import type { ContainerSpec } from '../ports.ts';
import { parseBinds } from './binds.ts';
import type { Container, ContainersContext } from './container.ts';
import {
  type BindRequest,
  cleanPath,
  type MountRequest,
  refuseDuplicates,
  type TmpfsRequest,
  type VolumeMountRequest,
} from './mount-request.ts';
import { parseMounts } from './mounts.ts';
import type { ContainerRecord } from './record.ts';

/** What is left to do for the mounts of a new container. */
export interface ContainerMounts {
  /** Volumes that are filled from the image when they are empty, by their place. */
  readonly fills: readonly { readonly volume: string; readonly target: string }[];
}

/**
 * All mounts of a request, each place once: what it asks for itself, then what it takes over from other containers,
 * then the image's volumes. Nothing is made yet.
 * @throws BerthError `invalid`, `not-found` for a container of `--volumes-from`
 * @see moby daemon/volumes_unix.go, registerMountPoints
 */
export function mountRequests(
  { table }: ContainersContext,
  body: ContainerCreateBody,
  image: ContainerConfig,
): readonly MountRequest[] {
  const host = body.HostConfig ?? {};
  const own = [
    ...parseBinds(host.Binds ?? [], text(host['VolumeDriver'])),
    ...parseMounts(host['Mounts']),
    ...tmpfsRequests(host.Tmpfs ?? {}),
  ];
  refuseDuplicates(own);
  const others = strings(host['VolumesFrom']).flatMap((from) => {
    const [ref = '', mode = ''] = from.split(':');
    if (!['', 'ro', 'rw', 'z', 'Z'].includes(mode)) throw new BerthError('invalid', `invalid mode: ${mode}`);
    return table.get(ref).record.mounts.map((mount) => takenOver(mount, mode));
  });
  const declared = Object.keys({ ...image.Volumes, ...body.Volumes }).map((path): MountRequest => {
    if (!path.startsWith('/')) {
      throw new BerthError('invalid', `invalid volume specification: '${path}': the mount path must be absolute`);
    }
    return { type: 'volume', target: cleanPath(path), readonly: false, mode: '', noCopy: false };
  });
  const byTarget = new Map<string, MountRequest>();
  for (const request of [...own, ...others, ...declared]) {
    if (!byTarget.has(request.target)) byTarget.set(request.target, request);
  }
  return [...byTarget.values()];
}

/**
 * Makes the volumes that are asked for, notes the container as their user, and writes all mounts into its record.
 * What was made before it failed is in the record, too.
 */
export async function resolveMounts(
  context: ContainersContext,
  container: Container,
  requests: readonly MountRequest[],
): Promise<ContainerMounts> {
  const mounts: MountPoint[] = [];
  const binds: ContainerSpec['binds'][number][] = [];
  const tmpfs: ContainerSpec['tmpfs'][number][] = [];
  const anonymousVolumes: string[] = [];
  const caches: NonNullable<ContainerRecord['caches']>[number][] = [];
  const fills: ContainerMounts['fills'][number][] = [];
  const { record } = container;
  container.record = { ...record, mounts, anonymousVolumes, caches, launch: { ...record.launch, binds, tmpfs } };
  for (const request of requests) {
    const { target, readonly } = request;
    if (request.type === 'tmpfs') {
      tmpfs.push({ target, options: request.options });
      if (request.isListed) mounts.push(tmpfsPoint(request));
    } else if (request.type === 'cache') {
      caches.push({ id: request.id, sharing: request.sharing, target, readonly });
      mounts.push({ Type: 'cache', Name: request.id, ...nowhere(request) });
    } else if (request.type === 'bind') {
      const { source, options, mustExist } = request;
      if (mustExist) await requireSource(source);
      binds.push({ source, target, readonly, options, ...(mustExist ? { mustExist } : {}) });
      mounts.push(bindPoint(request));
    } else {
      const { name, noCopy, subpath } = request;
      const volume = await context.volumes.acquire(container.id, volumeRequest(request));
      binds.push({ source: volume.path, target, readonly, options: [], ...(subpath ? { subpath } : {}) });
      mounts.push(volumePoint(request, volume));
      if (name === undefined) anonymousVolumes.push(volume.name);
      if (!noCopy) fills.push({ volume: volume.name, target });
    }
  }
  return { fills };
}

function volumeRequest({ name, driver, driverOptions, labels }: VolumeMountRequest) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(driver === undefined ? {} : { driver }),
    ...(driverOptions === undefined ? {} : { options: driverOptions }),
    ...(labels === undefined ? {} : { labels }),
  };
}

function volumePoint(
  { target, readonly, mode, name }: VolumeMountRequest,
  volume: { readonly name: string; readonly path: string },
): MountPoint {
  return {
    Type: 'volume',
    Name: volume.name,
    Source: volume.path,
    Destination: target,
    Driver: 'local',
    // Docker's default on Linux, though only SELinux reads it.
    Mode: mode || (name === undefined ? '' : 'z'),
    RW: !readonly,
    Propagation: '',
  };
}

function bindPoint({ source, target, mode, readonly, options }: BindRequest): MountPoint {
  const propagation = options.find((word) => word !== 'bind' && word !== 'idmap') ?? 'rprivate';
  return {
    Type: 'bind',
    Source: source,
    Destination: target,
    Mode: mode,
    RW: !readonly,
    Propagation: propagation,
  };
}

function tmpfsPoint(request: TmpfsRequest): MountPoint {
  return { Type: 'tmpfs', ...nowhere(request) };
}

/** What has no source that stays. */
function nowhere({ target, readonly }: MountRequest) {
  return { Source: '', Destination: target, Mode: '', RW: !readonly, Propagation: '' };
}

/** @throws BerthError `invalid`: where `-v` makes a missing folder, `--mount` takes it for a mistake */
async function requireSource(source: string): Promise<void> {
  await access(source).catch((cause) => {
    throw new BerthError(
      'invalid',
      `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      { hint: 'make it first, or use -v, which makes a missing folder', cause },
    );
  });
}

/** A mount of another container, with the access that was asked for. */
function takenOver(mount: MountPoint, mode: string): MountRequest {
  const shared = { target: mount.Destination, readonly: mode === 'ro' || !mount.RW, mode: mount.Mode };
  if (mount.Type === 'volume') return { type: 'volume', ...shared, name: mount.Name ?? '', noCopy: true };
  if (mount.Type === 'cache') return { type: 'cache', ...shared, id: mount.Name ?? '', sharing: 'shared' };
  if (mount.Type === 'tmpfs') return { type: 'tmpfs', ...shared, options: '', isListed: true };
  const options = mount.Propagation && mount.Propagation !== 'rprivate' ? [mount.Propagation] : [];
  return { type: 'bind', ...shared, source: mount.Source, options, mustExist: false };
}

function tmpfsRequests(tmpfs: Readonly<Record<string, string>>): readonly MountRequest[] {
  return Object.entries(tmpfs).map(([target, options]) => {
    if (!target.startsWith('/')) {
      throw new BerthError('invalid', `invalid mount path: '${target}' mount path must be absolute`);
    }
    return { type: 'tmpfs', target: cleanPath(target), readonly: false, mode: '', options, isListed: false };
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}
