import { describe, expect, it } from 'vitest';
import type { HostConfigBody } from '../../../src/api/contract/index.ts';
import { isolationOf } from '../../../src/engine/containers/isolation.ts';
import { checkedLimits, EVERY_LIMIT } from '../../../src/engine/containers/limits.ts';

const MIB = 1024 ** 2;
const machine = { ...EVERY_LIMIT, cpus: 4, memoryNodes: 1 };
const limitsOf = (host: HostConfigBody) => checkedLimits(host, machine).limits;

describe('limits', () => {
  it.each<[HostConfigBody, object]>([
    [{}, {}],
    [{ Memory: 100 * MIB }, { memoryBytes: 100 * MIB, memorySwapBytes: 200 * MIB }],
    [
      { Memory: 100 * MIB, MemorySwap: -1 },
      { memoryBytes: 100 * MIB, memorySwapBytes: -1 },
    ],
    [
      { Memory: 100 * MIB, MemorySwap: 100 * MIB },
      { memoryBytes: 100 * MIB, memorySwapBytes: 100 * MIB },
    ],
    [{ NanoCpus: 5e8 }, { cpuPeriod: 100_000, cpuQuota: 50_000 }],
    [
      { CpuQuota: 20_000, CpuPeriod: 50_000 },
      { cpuPeriod: 50_000, cpuQuota: 20_000 },
    ],
    [
      { CpuShares: 512, CpusetCpus: '0-1,3' },
      { cpuShares: 512, cpusetCpus: '0-1,3' },
    ],
    [{ PidsLimit: 20 }, { pids: 20 }],
    [{ PidsLimit: -1 }, {}],
    [{ MemorySwappiness: -1 }, {}],
    [{ MemorySwappiness: 0 }, { memorySwappiness: 0 }],
    [{ BlkioWeight: 300 }, { blkioWeight: 300 }],
    [{ BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1 }] }, { readBps: [{ path: '/dev/sda', rate: 1 }] }],
  ])('%j', (host, limits) => {
    expect(limitsOf(host)).toEqual(limits);
  });

  it.each<[HostConfigBody, string]>([
    [{ Memory: 5 * MIB }, 'Minimum memory limit allowed is 6MB'],
    [{ Memory: 100 * MIB, MemorySwap: 50 * MIB }, 'Minimum memoryswap limit should be larger than memory limit'],
    [{ MemorySwap: 50 * MIB }, 'You should always set the Memory limit when using Memoryswap limit'],
    [{ Memory: 10 * MIB, MemoryReservation: 20 * MIB }, 'can not be less than memory reservation limit'],
    [{ MemorySwappiness: 101 }, 'valid memory swappiness range is 0-100'],
    [{ NanoCpus: 5e9 }, 'range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
    [{ NanoCpus: 1e9, CpuQuota: 5000 }, 'Nano CPUs and CPU Quota cannot both be set'],
    [{ CpuPeriod: 10 }, 'CPU cfs period can not be less than 1ms'],
    [{ CpuQuota: 10 }, 'CPU cfs quota can not be less than 1ms'],
    [{ CpusetCpus: '0-9' }, 'Requested CPUs are not available - requested 0-9, available: 0-3'],
    [{ CpusetCpus: 'x' }, 'Invalid value x for cpuset cpus'],
    [{ BlkioWeight: 5 }, 'Range of blkio weight is from 10 to 1000'],
    [{ Memory: 'lots' }, 'HostConfig.Memory must be an integer'],
  ])('%j is refused', (host, message) => {
    expect(() => limitsOf(host)).toThrow(
      expect.objectContaining({ kind: 'invalid', message: expect.stringContaining(message) }),
    );
  });

  it('that the host cannot keep are dropped with a warning', () => {
    const bare = { ...machine, memory: false, cpu: false, pids: false, blkioWeight: false };
    const { limits, warnings } = checkedLimits({ Memory: 1e8, NanoCpus: 1e9, PidsLimit: 5, BlkioWeight: 10 }, bare);
    expect(limits).toEqual({});
    expect(warnings).toHaveLength(4);
    expect(warnings.every((warning) => warning.startsWith('Your kernel does not support'))).toBe(true);
  });
});

describe('isolation', () => {
  const isolation = (host: HostConfigBody, network: 'host' | 'own' = 'own') => isolationOf(host, network);

  it('reads what was asked for', () => {
    expect(
      isolation({
        Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
        Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '', CgroupPermissions: '' }],
        IpcMode: 'container:web',
        PidMode: 'host',
        Sysctls: { 'net.ipv4.ip_forward': '1' },
        SecurityOpt: ['no-new-privileges', 'seccomp=unconfined', 'label=disable', 'systempaths=unconfined'],
      }),
    ).toMatchObject({
      ulimits: [{ name: 'nofile', soft: 10, hard: 20 }],
      devices: [{ source: '/dev/fuse', target: '/dev/fuse', permissions: 'rwm' }],
      namespaces: { ipc: { kind: 'container', container: 'web' }, pid: { kind: 'host' }, uts: { kind: 'default' } },
      noNewPrivileges: true,
      seccomp: 'unconfined',
      maskedPaths: [],
      readonlyPaths: [],
    });
  });

  it.each<[HostConfigBody, string]>([
    [{ OomScoreAdj: 1001 }, 'range for oom score adj is [-1000, 1000]'],
    [{ Ulimits: [{ Name: 'files', Soft: 1, Hard: 1 }] }, 'invalid ulimit type: files'],
    [{ Ulimits: [{ Name: 'nofile', Soft: 2, Hard: 1 }] }, 'soft limit must be less than or equal to hard limit: 2 > 1'],
    [{ DeviceCgroupRules: ['c 1:3'] }, "invalid device cgroup rule format: 'c 1:3'"],
    [{ IpcMode: 'some' }, 'invalid IPC mode: some'],
    [{ PidMode: 'private' }, 'invalid PID mode: private'],
    [{ PidMode: 'container:' }, 'no container is named'],
    [{ UTSMode: 'container:x' }, 'invalid UTS mode'],
    [{ Sysctls: { 'vm.swappiness': '1' } }, "sysctl 'vm.swappiness' is not allowed"],
    [{ Sysctls: { 'kernel.shmmax': '1' }, IpcMode: 'host' }, 'not allowed in host ipc namespace'],
    [{ SecurityOpt: ['seccomp={}'] }, 'Decoding seccomp profile failed'],
    [{ SecurityOpt: ['wat=1'] }, 'invalid --security-opt'],
    [{ CgroupParent: '/a/../b' }, 'invalid cgroup parent'],
  ])('%j is refused', (host, message) => {
    expect(() => isolation(host)).toThrow(
      expect.objectContaining({ kind: 'invalid', message: expect.stringContaining(message) }),
    );
  });

  it('refuses to set the network of the host', () => {
    expect(() => isolation({ Sysctls: { 'net.ipv4.ip_forward': '1' } }, 'host')).toThrow('host network namespace');
  });
});
