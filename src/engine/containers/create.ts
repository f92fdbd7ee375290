import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ContainerCreateBody, ContainerCreated, HostConfigBody } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { type ContainerLimits, chainIds } from '../../oci/index.ts';
import { missingLayer } from '../images/layers.ts';
import type { StoredImage } from '../ports.ts';
import { capabilityNames } from './capabilities.ts';
import { allSettled, announce, Container, type ContainersContext, save } from './container.ts';
import { checkSupported } from './host-config.ts';
import { isolationOf } from './isolation.ts';
import { checkedLimits, EVERY_LIMIT } from './limits.ts';
import { resolveLinks } from './links.ts';
import { mergeConfig, overrideEnv } from './merge-config.ts';
import { type ContainerMounts, mountRequests, resolveMounts } from './mount-points.ts';
import { checkName, generateId, generateName } from './names.ts';
import { linkTexts, networkMode, planNetwork } from './network-plan.ts';
import type { ContainerRecord } from './record.ts';
import { releaseVolumes } from './removal.ts';
import { signalNumber } from './signals.ts';
import { initialState } from './state.ts';

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** @throws BerthError `unsupported`, `invalid`, `not-found` (image) or `conflict` (name); then nothing is left behind */
export async function createContainer(
  context: ContainersContext,
  wantedName: string | undefined,
  body: ContainerCreateBody,
): Promise<ContainerCreated> {
  const { ports, table } = context;
  checkSupported(body, ports.defaults.runtimes);
  if (!body.Image) throw new BerthError('invalid', 'no image specified');
  const name = wantedName ? checkName(wantedName) : generateName((taken) => table.isTaken(taken));
  const id = generateId();
  table.reserve(name, id);
  try {
    const image = await context.resolveImage(body.Image);
    const { limits, warnings } = checkedLimits(body.HostConfig ?? {}, ports.defaults.limits ?? EVERY_LIMIT);
    const container = new Container(newRecord(context, { id, name, body, image, limits }));
    const requests = mountRequests(context, body, image.config.config ?? {});
    try {
      await make(context, container, { image, mounts: await resolveMounts(context, container, requests) });
    } catch (error) {
      await releaseVolumes(context, container, { removeAnonymous: true });
      throw error;
    }
    table.add(container);
    announce(context, container, 'create');
    return { Id: id, Warnings: warnings };
  } catch (error) {
    table.release(name, id);
    throw error;
  }
}

/** The image cannot be removed while its container is being made: its layers are leased until they have a user. */
async function make(
  context: ContainersContext,
  container: Container,
  { image, mounts }: { readonly image: StoredImage; readonly mounts: ContainerMounts },
): Promise<void> {
  const { snapshots, store, garbage } = context.ports;
  const release = await garbage.lease(chainIds(image.config.rootfs.diff_ids));
  try {
    const { chain } = container.record;
    if (chain !== null && !(await snapshots.has(chain))) throw missingLayer(chain);
    const logFolder = store.folder('container', container.id).then(async (folder) => {
      container.record = { ...container.record, logPath: join(folder, 'log') };
      await save(context, container);
    });
    await allSettled([snapshots.create(container.id, container.record.chain), logFolder]);
    await fillVolumes(context, container, mounts.fills);
  } catch (error) {
    await Promise.allSettled([snapshots.remove(container.id), store.remove('container', container.id)]);
    throw error;
  } finally {
    release();
  }
}

/** What the image has in the place of an empty volume is copied there, as Docker does it: when the container is made. */
async function fillVolumes(
  { ports, volumes }: ContainersContext,
  { id }: Container,
  fills: ContainerMounts['fills'],
): Promise<void> {
  if (fills.length === 0) return;
  const root = await ports.snapshots.mount(id);
  try {
    for (const { volume, target } of fills) await volumes.populate(volume, { root: root.path, path: target });
  } finally {
    await ports.snapshots.unmount(id);
  }
}

interface NewContainer {
  readonly id: string;
  readonly name: string;
  readonly body: ContainerCreateBody;
  readonly image: StoredImage;
  readonly limits: ContainerLimits;
}

/** Resolves a request to all that a start needs. @throws BerthError `invalid` */
function newRecord(
  { ports, networks, table }: ContainersContext,
  { id, name, body, image, limits }: NewContainer,
): ContainerRecord {
  const host = body.HostConfig ?? {};
  const merged = mergeConfig(body, image.config.config ?? {});
  if (merged.StopSignal) signalNumber(merged.StopSignal);
  const links = resolveLinks(table, linkTexts(body));
  const network = { ...planNetwork(networks, body, merged), ...(links.length > 0 ? { links } : {}) };
  // Who asks for the host's network gets the host's name with it, unless it is given another one.
  const shared = network.mode.kind === 'container' ? table.find(network.mode.container)?.record.config.Hostname : '';
  const hostName = merged.Hostname || shared || (host.NetworkMode === 'host' ? hostname() : id.slice(0, 12));
  const isolation = isolationOf(host, network.mode.kind === 'host' ? 'host' : 'own');
  const runtime = host.Runtime || ports.defaults.runtime;
  const shmSizeBytes = host.ShmSize || DEFAULT_SHM_BYTES;
  return {
    format: 1,
    id,
    name,
    createdAt: ports.clock.now(),
    image: image.id,
    imageName: body.Image ?? '',
    chain: chainIds(image.config.rootfs.diff_ids).at(-1) ?? null,
    config: { ...merged, Hostname: hostName },
    hostConfig: {
      ...keptHostConfig(host, limits),
      NetworkMode: networkMode(body),
      Runtime: runtime,
      ShmSize: shmSizeBytes,
    },
    mounts: [],
    launch: {
      id,
      runtime,
      readonlyRoot: host.ReadonlyRootfs ?? false,
      argv: [...(merged.Entrypoint ?? []), ...(merged.Cmd ?? [])],
      env: overrideEnv([], merged.Env),
      cwd: merged.WorkingDir || '/',
      user: merged.User ?? '',
      hostname: hostName,
      tty: merged.Tty ?? false,
      openStdin: merged.OpenStdin ?? false,
      stdinOnce: merged.StdinOnce ?? false,
      init: host.Init ?? false,
      privileged: host.Privileged ?? false,
      capAdd: capabilityNames('CapAdd', host.CapAdd ?? []),
      capDrop: capabilityNames('CapDrop', host.CapDrop ?? []),
      binds: [],
      tmpfs: [],
      shmSizeBytes,
      limits,
      isolation,
    },
    network,
    logPath: '',
    state: initialState,
    residue: false,
  };
}

/** What an inspect shows: the request, with the fields that clients read without looking whether they are there. */
function keptHostConfig(host: HostConfigBody, limits: ContainerLimits): HostConfigBody {
  return {
    ...host,
    AutoRemove: host.AutoRemove ?? false,
    IpcMode: host['IpcMode'] || 'private',
    MemorySwap: host['MemorySwap'] || limits.memorySwapBytes || 0,
    LogConfig: { Type: 'json-file', Config: {} },
    PortBindings: host['PortBindings'] ?? {},
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  };
}
