import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cgroupView } from '../../../../src/runtime/cgroup/view.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-cgroup-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

/** As kernel 6.18 tells them of a container with limits that has read a file and was killed once. */
const V1 = {
  'memory/berth/c/memory.usage_in_bytes': '2162688\n',
  'memory/berth/c/memory.max_usage_in_bytes': '104857600\n',
  'memory/berth/c/memory.failcnt': '7\n',
  'memory/berth/c/memory.limit_in_bytes': '104857600\n',
  'memory/berth/c/memory.stat': 'cache 1048576\nrss 409600\ninactive_file 4096\ntotal_inactive_file 1048576\n',
  'memory/berth/c/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
  'cpuacct/berth/c/cpuacct.usage': '3500000000\n',
  'cpuacct/berth/c/cpuacct.usage_percpu': '3000000000 500000000 \n',
  'cpuacct/berth/c/cpuacct.stat': 'user 300\nsystem 50\n',
  'cpu/berth/c/cpu.stat': 'nr_periods 40\nnr_throttled 39\nthrottled_time 1900000000\nnr_bursts 0\nburst_time 0\n',
  'pids/berth/c/pids.current': '3\n',
  'pids/berth/c/pids.max': 'max\n',
  'blkio/berth/c/blkio.bfq.io_service_bytes_recursive': 'Total 0\n',
  'blkio/berth/c/blkio.throttle.io_service_bytes_recursive':
    '254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 12288\nTotal 12288\n',
  'blkio/berth/c/blkio.throttle.io_serviced_recursive': '254:0 Read 1\n254:0 Write 2\nTotal 3\n',
};

const V2 = {
  'cgroup.controllers': 'cpuset cpu io memory hugetlb pids\n',
  'berth/c/cpu.stat':
    'usage_usec 3500000\nuser_usec 3000000\nsystem_usec 500000\nnr_periods 40\nnr_throttled 39\nthrottled_usec 1900000\nnr_bursts 0\n',
  'berth/c/memory.current': '2162688\n',
  'berth/c/memory.max': '104857600\n',
  'berth/c/memory.stat': 'anon 409600\nfile 1048576\ninactive_file 1048576\nactive_file 0\n',
  'berth/c/memory.events': 'low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\noom_group_kill 0\n',
  'berth/c/pids.current': '3\n',
  'berth/c/pids.max': '50\n',
  'berth/c/io.stat':
    '254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n7:1 rbytes=1 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n',
  'berth/c/cgroup.events': 'populated 1\nfrozen 1\n',
  'berth/c/cgroup.freeze': '0\n',
};

describe('a cgroup of version 1', () => {
  it('tells what is used', () => {
    write(V1);
    expect(cgroupView(root, '/berth/c').usage()).toEqual({
      cgroups: '1',
      cpu: {
        total: 3.5e9,
        user: 3e9,
        kernel: 0.5e9,
        perCpu: [3e9, 0.5e9],
        periods: 40,
        throttledPeriods: 39,
        throttled: 1.9e9,
      },
      memory: {
        usage: 2162688,
        maxUsage: 104857600,
        failures: 7,
        limit: 104857600,
        stats: { cache: 1048576, rss: 409600, inactive_file: 4096, total_inactive_file: 1048576 },
      },
      pids: { current: 3 },
      blockIo: {
        bytes: [
          { major: 254, minor: 0, op: 'read', value: 4096 },
          { major: 254, minor: 0, op: 'write', value: 8192 },
          { major: 254, minor: 0, op: 'sync', value: 12288 },
        ],
        operations: [
          { major: 254, minor: 0, op: 'read', value: 1 },
          { major: 254, minor: 0, op: 'write', value: 2 },
        ],
      },
    });
  });

  it('has no limit where the kernel has the highest number', () => {
    write({ ...V1, 'memory/berth/c/memory.limit_in_bytes': '9223372036854771712\n' });
    expect(cgroupView(root, '/berth/c').usage().memory).not.toHaveProperty('limit');
  });

  it('counts kills, and is frozen by its own controller', async () => {
    write({ ...V1, 'freezer/berth/c/freezer.state': 'THAWED\n' });
    const view = cgroupView(root, '/berth/c');
    expect(view.oomKills()).toBe(1);
    await view.freeze(true);
    expect(readFileSync(join(root, 'freezer/berth/c/freezer.state'), 'utf8')).toBe('FROZEN');
    await view.freeze(false);
    expect(readFileSync(join(root, 'freezer/berth/c/freezer.state'), 'utf8')).toBe('THAWED');
    view.liftPidsLimit();
    expect(readFileSync(join(root, 'pids/berth/c/pids.max'), 'utf8')).toBe('max');
  });
});

describe('a cgroup of version 2', () => {
  it('tells what is used', () => {
    write(V2);
    expect(cgroupView(root, '/berth/c').usage()).toEqual({
      cgroups: '2',
      cpu: { total: 3.5e9, user: 3e9, kernel: 0.5e9, periods: 40, throttledPeriods: 39, throttled: 1.9e9 },
      memory: {
        usage: 2162688,
        limit: 104857600,
        stats: { anon: 409600, file: 1048576, inactive_file: 1048576, active_file: 0 },
      },
      pids: { current: 3, limit: 50 },
      blockIo: {
        bytes: [
          { major: 254, minor: 0, op: 'read', value: 4096 },
          { major: 254, minor: 0, op: 'write', value: 8192 },
          { major: 7, minor: 1, op: 'read', value: 1 },
          { major: 7, minor: 1, op: 'write', value: 0 },
        ],
        operations: [
          { major: 254, minor: 0, op: 'read', value: 1 },
          { major: 254, minor: 0, op: 'write', value: 2 },
          { major: 7, minor: 1, op: 'read', value: 1 },
          { major: 7, minor: 1, op: 'write', value: 0 },
        ],
      },
    });
  });

  it('counts kills, and is frozen when its events say so', async () => {
    write(V2);
    const view = cgroupView(root, '/berth/c');
    expect(view.oomKills()).toBe(2);
    await view.freeze(true);
    expect(readFileSync(join(root, 'berth/c/cgroup.freeze'), 'utf8')).toBe('1');
    view.liftPidsLimit();
    expect(readFileSync(join(root, 'berth/c/pids.max'), 'utf8')).toBe('max');
  });

  it('knows nothing of controllers that are not there', () => {
    write({ 'cgroup.controllers': 'hugetlb\n', 'berth/c/cgroup.events': 'populated 1\n' });
    const view = cgroupView(root, '/berth/c');
    expect(view.usage()).toMatchObject({ memory: { usage: 0, stats: {} }, pids: { current: 0 } });
    expect(view.oomKills()).toBe(0);
  });
});
