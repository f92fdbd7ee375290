import type { ContainerInspect, ContainerSummary } from '../../api/contract/index.ts';
import { chainIds } from '../../oci/index.ts';
import { formatRfc3339Nano } from '../../units/index.ts';
import { portList } from '../networks/ports.ts';
import { allSettled, type Container, type ContainersContext } from './container.ts';
import { networkOf } from './container-network.ts';
import { shownLinks } from './links.ts';
import { networkSettings, networksBody } from './network-settings.ts';
import { stateBody, statusText } from './state.ts';

export async function inspectContainer(
  context: ContainersContext,
  container: Container,
  options: { readonly size: boolean },
): Promise<ContainerInspect> {
  const { record, root } = container;
  const { argv } = record.launch;
  const { driver } = context.ports.snapshots;
  return {
    Id: record.id,
    Created: formatRfc3339Nano(record.createdAt),
    Path: argv[0] ?? '',
    Args: argv.slice(1),
    State: stateBody(record.state),
    Image: record.image,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: record.logPath,
    Name: `/${record.name}`,
    RestartCount: 0,
    Driver: driver,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: { ...record.hostConfig, Links: shownLinks(context, container) },
    GraphDriver: { Name: driver, Data: root ? { MergedDir: root.path } : null },
    ...(options.size ? await sizes(context, container) : {}),
    Mounts: record.mounts,
    Config: record.config,
    NetworkSettings: networkSettings(context, container),
  };
}

export interface SummaryOptions {
  readonly size: boolean;
  /** The image as it is called now: its name may have moved on to another one. */
  readonly imageName: string;
}

export async function summarize(
  context: ContainersContext,
  container: Container,
  options: SummaryOptions,
): Promise<ContainerSummary> {
  const { record } = container;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: options.imageName,
    ImageID: record.image,
    Command: record.launch.argv.map(quoted).join(' '),
    Created: Math.floor(record.createdAt / 1000),
    Ports: container.isActive ? portList(record.config, networkOf(container).published) : [],
    ...(options.size ? await sizes(context, container) : {}),
    Labels: record.config.Labels ?? {},
    State: record.state.status,
    Status: statusText(record.state, context.ports.clock.now()),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode ?? 'default' },
    NetworkSettings: { Networks: networksBody(context, container) },
    Mounts: record.mounts,
  };
}

function quoted(word: string): string {
  return word.includes(' ') ? `'${word}'` : word;
}

async function sizes(
  { ports }: ContainersContext,
  { id, record }: Container,
): Promise<{ readonly SizeRw: number; readonly SizeRootFs: number }> {
  const image = await ports.images.get(record.image);
  const layers = chainIds(image?.config.rootfs.diff_ids ?? []).map((chain) => ports.snapshots.layerInfo(chain));
  const usage = ports.snapshots.usage(id);
  await allSettled([usage, ...layers]);
  const below = (await Promise.all(layers)).reduce((sum, layer) => sum + (layer?.sizeBytes ?? 0), 0);
  return { SizeRw: await usage, SizeRootFs: below + (await usage) };
}
