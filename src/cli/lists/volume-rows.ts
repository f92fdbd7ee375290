import type { VolumeBody } from '../../api/contract/index.ts';
import type { ListFormat, Row } from '../../format/index.ts';
import { humanSize } from '../../units/index.ts';

export function volumesFormat(format: string): ListFormat {
  return {
    format,
    table: '{{.Driver}}\t{{.Name}}',
    heads: {
      Driver: 'DRIVER',
      Name: 'VOLUME NAME',
      Scope: 'SCOPE',
      Mountpoint: 'MOUNTPOINT',
      Labels: 'LABELS',
      Links: 'LINKS',
      Size: 'SIZE',
      Availability: 'AVAILABILITY',
      Group: 'GROUP',
      Status: 'STATUS',
    },
  };
}

/** @see docker/cli formatter, volume.go */
export function volumeRow({ Driver, Name, Scope, Mountpoint, Labels, UsageData }: VolumeBody): Row {
  return {
    Driver,
    Name,
    Scope,
    Mountpoint,
    Labels: Object.entries(Labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (key: string) => Labels?.[key] ?? '',
    Links: UsageData ? String(UsageData.RefCount) : 'N/A',
    Size: UsageData ? humanSize(UsageData.Size, 4) : 'N/A',
    Availability: 'N/A',
    Group: 'N/A',
    Status: 'N/A',
  };
}
