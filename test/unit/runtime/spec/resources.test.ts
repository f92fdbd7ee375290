import { describe, expect, it } from 'vitest';
import type { ContainerIsolation, ContainerLimits, NamespaceChoice } from '../../../../src/oci/index.ts';
import { type ContainerPlan, type MachineFacts, ociConfig } from '../../../../src/runtime/spec/config.ts';
import { ociNamespaces } from '../../../../src/runtime/spec/namespaces.ts';
import { ociResources } from '../../../../src/runtime/spec/resources.ts';

const disk = { path: '/dev/disk', type: 'b', major: 8, minor: 16, fileMode: 0o660, uid: 0, gid: 6 } as const;
const numberOf = () => ({ major: disk.major, minor: disk.minor });
const MIB = 1024 ** 2;

describe('limits in the words of the runtime specification', () => {
  it.each<[ContainerLimits, object]>([
    [{}, {}],
    [
      { memoryBytes: 64 * MIB, memorySwapBytes: 128 * MIB, memoryReservationBytes: 32 * MIB },
      { memory: { limit: 64 * MIB, swap: 128 * MIB, reservation: 32 * MIB } },
    ],
    [
      { memoryBytes: MIB, memorySwapBytes: -1, memorySwappiness: 0, oomKillDisable: true },
      { memory: { limit: MIB, swap: -1, swappiness: 0, disableOOMKiller: true } },
    ],
    [{ cpuQuota: 50_000, cpuPeriod: 100_000 }, { cpu: { quota: 50_000, period: 100_000 } }],
    [
      { cpuShares: 512, cpusetCpus: '0-1', cpusetMems: '0', cpuRealtimePeriod: 1000, cpuRealtimeRuntime: 900 },
      { cpu: { shares: 512, cpus: '0-1', mems: '0', realtimePeriod: 1000, realtimeRuntime: 900 } },
    ],
    [{ pids: 20 }, { pids: { limit: 20 } }],
    [
      { blkioWeight: 300, blkioWeightDevice: [{ path: disk.path, rate: 400 }] },
      { blockIO: { weight: 300, weightDevice: [{ major: 8, minor: 16, weight: 400 }] } },
    ],
    [
      {
        readBps: [{ path: disk.path, rate: MIB }],
        writeBps: [{ path: disk.path, rate: 2 * MIB }],
        readIops: [{ path: disk.path, rate: 10 }],
        writeIops: [{ path: disk.path, rate: 20 }],
      },
      {
        blockIO: {
          throttleReadBpsDevice: [{ major: 8, minor: 16, rate: MIB }],
          throttleWriteBpsDevice: [{ major: 8, minor: 16, rate: 2 * MIB }],
          throttleReadIOPSDevice: [{ major: 8, minor: 16, rate: 10 }],
          throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 20 }],
        },
      },
    ],
  ])('%j', (limits, resources) => {
    expect(ociResources(limits, numberOf)).toEqual(resources);
  });
});

const isolation: ContainerIsolation = {
  oomScoreAdj: 0,
  ulimits: [],
  devices: [],
  deviceRules: [],
  cgroupParent: '',
  groups: [],
  sysctls: {},
  namespaces: { ipc: kind('default'), pid: kind('default'), uts: kind('default'), cgroup: kind('default') },
};
const plan: ContainerPlan = {
  id: 'abc',
  rootPath: '/roots/abc',
  readonlyRoot: false,
  argv: ['server'],
  env: [],
  cwd: '/',
  identity: { uid: 0, gid: 0, groups: [], home: '/root' },
  hostname: 'box',
  announceHostname: true,
  tty: false,
  network: 'none',
  privileged: false,
  capAdd: [],
  capDrop: [],
  binds: [],
  tmpfs: [],
  shmSizeBytes: 64 * MIB,
  files: { hosts: '/b/hosts', resolvConf: '/b/resolv.conf' },
};
const machine: MachineFacts = {
  architecture: 'x64',
  cgroups: 'v2',
  capabilities: new Set(['CAP_CHOWN']),
  oomScoreAdj: 0,
  kernel: '6.1.0',
  devicesAt: () => [disk],
  devices: [],
};

function kind(name: 'default' | 'host' | 'private'): NamespaceChoice {
  return { kind: name };
}

describe('a container on cgroup2', () => {
  const limits: ContainerLimits = {
    memoryBytes: 64 * MIB,
    memorySwapBytes: 96 * MIB,
    cpuQuota: 50_000,
    cpuPeriod: 100_000,
    pids: 20,
    readBps: [{ path: disk.path, rate: MIB }],
  };
  const config = (change: Partial<ContainerPlan> = {}) => ociConfig({ ...plan, limits, isolation, ...change }, machine);

  it('says its limits as on version 1, for the runtime to translate, and has a cgroup namespace', () => {
    const { linux, mounts } = config();
    expect(linux.cgroupsPath).toBe('/berth/abc');
    expect(linux.resources).toEqual({
      devices: expect.arrayContaining([{ allow: false, access: 'rwm' }]),
      memory: { limit: 64 * MIB, swap: 96 * MIB },
      cpu: { quota: 50_000, period: 100_000 },
      pids: { limit: 20 },
      blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 16, rate: MIB }] },
    });
    expect(linux.namespaces).toEqual(['pid', 'ipc', 'uts', 'mount', 'network', 'cgroup'].map((type) => ({ type })));
    expect(mounts.find(({ destination }) => destination === '/sys/fs/cgroup')?.options).toContain('ro');
  });

  it('lies below the parent that it was given', () => {
    for (const cgroupParent of ['/own', 'own', '/own/'])
      expect(config({ isolation: { ...isolation, cgroupParent } }).linux.cgroupsPath).toBe('/own/abc');
  });
});

describe('the namespace of cgroups', () => {
  it.each([
    ['v1', 'default', false, 'shared'],
    ['v1', 'private', false, 'own'],
    ['v2', 'default', false, 'own'],
    ['v2', 'default', true, 'shared'],
    ['v2', 'private', true, 'own'],
    ['v2', 'host', false, 'shared'],
  ] as const)('on %s, asked for %s, privileged %s: %s', (version, choice, privileged, expected) => {
    const types = ociNamespaces('none', { cgroup: kind(choice) }, version, privileged).map(({ type }) => type);
    expect(types.includes('cgroup') ? 'own' : 'shared').toBe(expected);
  });

  it('and the others can be those of a process', () => {
    const joined: NamespaceChoice = { kind: 'process', pid: 7, bundle: '/b' };
    expect(ociNamespaces('host', { pid: joined, ipc: kind('host'), uts: joined }, 'v1', false)).toEqual([
      { type: 'pid', path: '/proc/7/ns/pid' },
      { type: 'uts', path: '/proc/7/ns/uts' },
      { type: 'mount' },
    ]);
  });
});
