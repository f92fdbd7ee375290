import { describe, expect, it } from 'vitest';
import type { StatsBody } from '../../../src/api/contract/index.ts';
import { cpuShare, statsFormat, statsRow, usedMemory } from '../../../src/cli/lists/stats-rows.ts';
import { formatList } from '../../../src/format/index.ts';

const cpu = (total: number, system: number) => ({
  cpu_usage: { total_usage: total, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  system_cpu_usage: system,
  online_cpus: 2,
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
});
const stats: StatsBody = {
  name: '/web',
  id: 'c0ffee'.padEnd(64, '0'),
  read: '2026-01-01T00:00:01Z',
  preread: '2026-01-01T00:00:00Z',
  pids_stats: { current: 3 },
  blkio_stats: {
    io_service_bytes_recursive: [
      { major: 8, minor: 0, op: 'Read', value: 4096 },
      { major: 8, minor: 0, op: 'write', value: 8192 },
      { major: 8, minor: 0, op: 'sync', value: 1 },
    ],
  },
  num_procs: 0,
  storage_stats: {},
  cpu_stats: cpu(1.5e9, 102e9),
  precpu_stats: cpu(1e9, 100e9),
  memory_stats: { usage: 3 * 1024 ** 2, limit: 100 * 1024 ** 2, stats: { total_inactive_file: 1024 ** 2 } },
  networks: {
    eth0: {
      rx_bytes: 1000,
      rx_packets: 1,
      rx_errors: 0,
      rx_dropped: 0,
      tx_bytes: 1_500_000,
      tx_packets: 1,
      tx_errors: 0,
      tx_dropped: 0,
    },
  },
};

describe('rows of stats', () => {
  it('tell shares of one CPU, and memory without the cache', () => {
    expect(statsRow({ ref: 'web', stats, ended: false }, true)).toEqual({
      Container: 'web',
      ID: 'c0ffee000000',
      Name: 'web',
      CPUPerc: '50.00%',
      MemUsage: '2MiB / 100MiB',
      MemPerc: '2.00%',
      NetIO: '1kB / 1.5MB',
      BlockIO: '4.1kB / 8.19kB',
      PIDs: '3',
    });
  });

  it('show nothing of one that has ended, but its name', async () => {
    const table = await formatList(statsFormat('table'), [statsRow({ ref: 'web', stats, ended: true }, true)]);
    expect(table.split('\n')[1]).toMatch(/^c0ffee000000 +web +-- +-- \/ -- +-- +-- \/ -- +-- \/ -- +--$/);
  });

  it('take the figures of either version of cgroups', () => {
    const memory = (usage: number, given: Record<string, number>) =>
      usedMemory({ ...stats, memory_stats: { usage, stats: given } });
    expect(memory(100, { inactive_file: 30 })).toBe(70);
    expect(memory(100, { inactive_file: 30, total_inactive_file: 40 })).toBe(60);
    expect(memory(100, { inactive_file: 300 })).toBe(100);
    expect(cpuShare({ ...stats, precpu_stats: { ...stats.cpu_stats } })).toBe(0);
  });
});
