import type { ContainerSummary } from '../../api/contract/index.ts';
import type { ListFormat, Row } from '../../format/index.ts';
import { humanDuration, humanSize } from '../../units/index.ts';
import { ellipsis, goTime, quoted, shortId } from './cells.ts';
import { displayPorts, type Port } from './ports.ts';

const COLUMNS = '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';
const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;

export interface PsOptions {
  readonly trunc: boolean;
  readonly size: boolean;
  readonly now: number;
}

export function psFormat(format: string, size: boolean): ListFormat {
  return {
    format,
    table: size ? `${COLUMNS}\t{{.Size}}` : COLUMNS,
    heads: {
      ID: 'CONTAINER ID',
      Names: 'NAMES',
      Image: 'IMAGE',
      Command: 'COMMAND',
      CreatedAt: 'CREATED AT',
      RunningFor: 'CREATED',
      Ports: 'PORTS',
      State: 'STATE',
      Status: 'STATUS',
      Size: 'SIZE',
      Labels: 'LABELS',
      LocalVolumes: 'LOCAL VOLUMES',
      Mounts: 'MOUNTS',
      Networks: 'NETWORKS',
    },
  };
}

/** One line of `ps`. @see docker/cli formatter, container.go */
export function psRow(container: ContainerSummary, { trunc, size, now }: PsOptions): Row {
  const labels = container.Labels ?? {};
  return {
    ID: trunc ? shortId(container.Id) : container.Id,
    Names: names(container.Names, trunc),
    Image: imageName(container, trunc),
    Command: quoted(trunc ? ellipsis(container.Command, COMMAND_WIDTH) : container.Command),
    CreatedAt: goTime(container.Created * 1000),
    RunningFor: `${humanDuration(now - container.Created * 1000)} ago`,
    Ports: displayPorts((container.Ports ?? []) as readonly Port[]),
    State: container.State,
    Status: container.Status,
    Size: size || container.SizeRw !== undefined ? sizes(container) : '0B',
    Labels: Object.entries(labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (key: string) => labels[key] ?? '',
    LocalVolumes: String((container.Mounts ?? []).filter((mount) => mount.Type === 'volume').length),
    Mounts: (container.Mounts ?? [])
      .map((mount) => ('Name' in mount ? String(mount.Name) : mount.Source))
      .map((text) => (trunc ? ellipsis(text, MOUNT_WIDTH) : text))
      .join(','),
    Networks: Object.keys(container.NetworkSettings?.Networks ?? {}).join(','),
  };
}

/** Names of links have a second slash; they are left out of the short form. */
function names(all: readonly string[], trunc: boolean): string {
  const shown = all.map((name) => name.replace(/^\//, ''));
  return (trunc ? shown.filter((name) => !name.includes('/')) : shown).join(',');
}

function imageName({ Image, ImageID }: ContainerSummary, trunc: boolean): string {
  if (Image === '') return '<no image>';
  if (!trunc) return Image;
  if (shortId(Image) === shortId(ImageID)) return shortId(ImageID);
  return Image.replace(/@sha256:[\da-f]{64}$/, '');
}

function sizes({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const own = humanSize(SizeRw, 3);
  return SizeRootFs > 0 ? `${own} (virtual ${humanSize(SizeRootFs, 3)})` : own;
}
