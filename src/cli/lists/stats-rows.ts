import type { StatsBody } from '../../api/contract/index.ts';
import type { ListFormat, Row } from '../../format/index.ts';
import { humanBinarySize, humanSize } from '../../units/index.ts';
import { shortId } from './cells.ts';

const COLUMNS = '{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}';
const UNKNOWN = '--';

export function statsFormat(format: string): ListFormat {
  return {
    format,
    table: COLUMNS,
    heads: {
      Container: 'CONTAINER',
      ID: 'CONTAINER ID',
      Name: 'NAME',
      CPUPerc: 'CPU %',
      MemUsage: 'MEM USAGE / LIMIT',
      MemPerc: 'MEM %',
      NetIO: 'NET I/O',
      BlockIO: 'BLOCK I/O',
      PIDs: 'PIDS',
    },
  };
}

/** A container in the table. */
export interface StatsEntry {
  /** As the user named it, or its id. */
  readonly ref: string;
  /** Its latest figures; absent before the first. */
  readonly stats?: StatsBody | undefined;
  /** It has ended: figures of the past are not shown. */
  readonly ended: boolean;
}

/** One line of `stats`. @see docker/cli formatter, stats.go */
export function statsRow({ ref, stats, ended }: StatsEntry, trunc: boolean): Row {
  const id = stats?.id ?? '';
  const name = stats?.name.replace(/^\//, '') ?? '';
  const known = {
    Container: ref,
    ID: (trunc ? shortId(id) : id) || UNKNOWN,
    Name: name || UNKNOWN,
  };
  if (!stats || ended) {
    const both = `${UNKNOWN} / ${UNKNOWN}`;
    return { ...known, CPUPerc: UNKNOWN, MemUsage: both, MemPerc: UNKNOWN, NetIO: both, BlockIO: both, PIDs: UNKNOWN };
  }
  const used = usedMemory(stats);
  const limit = stats.memory_stats.limit ?? 0;
  const network = Object.values(stats.networks ?? {});
  const sum = (field: 'rx_bytes' | 'tx_bytes') => network.reduce((total, counters) => total + counters[field], 0);
  return {
    ...known,
    CPUPerc: percent(cpuShare(stats)),
    MemUsage: `${humanBinarySize(used)} / ${humanBinarySize(limit)}`,
    MemPerc: percent(limit > 0 ? used / limit : 0),
    NetIO: `${humanSize(sum('rx_bytes'), 3)} / ${humanSize(sum('tx_bytes'), 3)}`,
    BlockIO: `${humanSize(blockBytes(stats, 'r'), 3)} / ${humanSize(blockBytes(stats, 'w'), 3)}`,
    PIDs: String(stats.pids_stats.current ?? 0),
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}

/** CPU time of the container by that of one CPU, since the sample before. Pure. */
export function cpuShare({ cpu_stats: now, precpu_stats: before }: StatsBody): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const cpus = now.online_cpus || now.cpu_usage.percpu_usage?.length || 0;
  return used > 0 && passed > 0 ? (used / passed) * cpus : 0;
}

/** Without cached file content that the kernel gives back at any time. Pure. */
export function usedMemory({ memory_stats: { usage = 0, stats = {} } }: StatsBody): number {
  // Cgroup v1 counts what is below, too, under another name.
  const cached = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return cached < usage ? usage - cached : usage;
}

function blockBytes({ blkio_stats }: StatsBody, firstLetter: 'r' | 'w'): number {
  return (blkio_stats['io_service_bytes_recursive'] ?? [])
    .filter(({ op }) => op.toLowerCase().startsWith(firstLetter))
    .reduce((total, { value }) => total + value, 0);
}
