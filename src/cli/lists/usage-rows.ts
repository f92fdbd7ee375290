import type { DiskUsageBody, UsageTotal } from '../../api/contract/index.ts';
import type { ListFormat, Row } from '../../format/index.ts';
import { humanDuration, humanSize } from '../../units/index.ts';
import { ellipsis, shortId } from './cells.ts';
import { imageRows } from './image-rows.ts';
import { psRow } from './ps-rows.ts';

/** Sizes as df and the prunes print them: four digits. */
function usageSize(bytes: number): string {
  return humanSize(bytes, 4);
}

export function usageFormat(format: string): ListFormat {
  return {
    format,
    table: '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
    heads: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  };
}

/** The four lines of `system df`. */
export function usageRows(usage: DiskUsageBody): Row[] {
  return [
    usageRow('Images', usage.ImageUsage),
    usageRow('Containers', usage.ContainerUsage),
    usageRow('Local Volumes', usage.VolumeUsage),
    usageRow('Build Cache', usage.BuildCacheUsage),
  ];
}

const NOTHING: UsageTotal = { TotalCount: 0, ActiveCount: 0, TotalSize: 0, Reclaimable: 0 };

function usageRow(Type: string, { TotalCount, ActiveCount, TotalSize, Reclaimable }: UsageTotal = NOTHING): Row {
  // The build cache has no percentage. @see docker/cli formatter, disk_usage.go
  const share = Type === 'Build Cache' || TotalSize === 0 ? '' : ` (${Math.floor((Reclaimable * 100) / TotalSize)}%)`;
  return {
    Type,
    TotalCount: String(TotalCount),
    Active: String(ActiveCount),
    Size: usageSize(TotalSize),
    Reclaimable: `${usageSize(Reclaimable)}${share}`,
  };
}

/** One section of `system df -v`. */
export interface UsageSection {
  readonly title: string;
  readonly list: ListFormat;
  readonly rows: readonly Row[];
}

export function usageSections(usage: DiskUsageBody, now: number): readonly UsageSection[] {
  return [
    {
      title: 'Images space usage:',
      list: table(
        'Repository Tag ID:IMAGE_ID CreatedSince:CREATED Size SharedSize:SHARED_SIZE UniqueSize:UNIQUE_SIZE Containers',
      ),
      rows: (usage.Images ?? []).flatMap((image) =>
        imageRows(image, { trunc: true, digests: false, now, shareDigits: 4 }),
      ),
    },
    {
      title: 'Containers space usage:',
      list: table('ID:CONTAINER_ID Image Command LocalVolumes:LOCAL_VOLUMES Size RunningFor:CREATED Status Names'),
      rows: (usage.Containers ?? []).map((container) => ({
        ...psRow(container, { trunc: true, size: true, now }),
        Size: humanSize(container.SizeRw ?? 0, 3),
        LocalVolumes: String((container.Mounts ?? []).filter(({ Type }) => Type === 'volume').length),
      })),
    },
    {
      title: 'Local Volumes space usage:',
      list: table('Name:VOLUME_NAME Links Size'),
      rows: (usage.Volumes ?? []).map(({ Name, UsageData }) => ({
        Name,
        Links: String(UsageData?.RefCount ?? 0),
        Size: humanSize(Math.max(0, UsageData?.Size ?? 0), 3),
      })),
    },
    {
      title: `Build cache usage: ${usageSize(usage.BuildCacheUsage?.TotalSize ?? 0)}`,
      list: table(
        'ID:CACHE_ID CacheType:CACHE_TYPE Size Created LastUsed:LAST_USED Usage InUse:IN_USE Shared Description',
      ),
      rows: (usage.BuildCache ?? []).map((item) => ({
        ID: shortId(item.ID),
        CacheType: item.Type,
        Size: humanSize(item.Size, 3),
        Created: ago(item.CreatedAt, now),
        LastUsed: item.LastUsedAt === null ? '' : ago(item.LastUsedAt, now),
        Usage: String(item.UsageCount),
        InUse: String(item.InUse),
        Shared: String(item.Shared),
        Description: ellipsis(item.Description, 50),
      })),
    },
  ];
}

/** Columns as `Field` or `Field:HEAD`, with `_` for a space. */
function table(columns: string): ListFormat {
  const pairs = columns.split(' ').map((column) => {
    const [field = '', head = field.toUpperCase()] = column.split(':');
    return [field, head.replaceAll('_', ' ')] as const;
  });
  return {
    format: 'table',
    table: pairs.map(([field]) => `{{.${field}}}`).join('\t'),
    heads: Object.fromEntries(pairs),
  };
}

function ago(time: string, now: number): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? 'N/A' : `${humanDuration(now - at)} ago`;
}
