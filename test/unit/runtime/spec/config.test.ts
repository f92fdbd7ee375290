import { describe, expect, it } from 'vitest';
import { allCapabilities, defaultCapabilities } from '../../../../src/runtime/spec/capabilities.ts';
import { type ContainerPlan, type MachineFacts, ociConfig } from '../../../../src/runtime/spec/config.ts';

const machine: MachineFacts = {
  architecture: 'x64',
  cgroups: 'v1',
  capabilities: new Set(allCapabilities),
  oomScoreAdj: 0,
  kernel: '6.1.0',
  devicesAt: (path) => machine.devices.filter((device) => device.path === path),
  devices: [
    { path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 },
    { path: '/dev/pts/0', type: 'c', major: 136, minor: 0, fileMode: 0o620, uid: 0, gid: 5 },
    { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 },
  ],
};
const plan: ContainerPlan = {
  id: 'abc',
  rootPath: '/roots/abc',
  readonlyRoot: false,
  argv: ['server', '--port', '80'],
  env: ['PATH=/bin', 'A=1', 'A=2', 'EMPTY='],
  cwd: '/srv',
  identity: { uid: 1000, gid: 1001, groups: [2000, 1001], home: '/home/web' },
  hostname: 'box',
  announceHostname: true,
  tty: false,
  network: 'host',
  privileged: false,
  capAdd: [],
  capDrop: [],
  binds: [],
  tmpfs: [],
  shmSizeBytes: 67108864,
  files: { hosts: '/b/hosts', resolvConf: '/b/resolv.conf', hostname: '/b/hostname' },
};
const config = (change: Partial<ContainerPlan> = {}, facts: Partial<MachineFacts> = {}) =>
  ociConfig({ ...plan, ...change }, { ...machine, ...facts });

describe('config of a container', () => {
  it('completes the environment as Docker does', () => {
    expect(config().process.env).toEqual(['PATH=/bin', 'HOSTNAME=box', 'A=2', 'EMPTY=', 'HOME=/home/web']);
    expect(config({ tty: true, env: [] }).process.env).toContain('TERM=xterm');
    expect(config({ env: ['HOME=/x', 'HOSTNAME=y'] }).process.env).toEqual([
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOSTNAME=y',
      'HOME=/x',
    ]);
    expect(config({ announceHostname: false }).process.env.join()).not.toContain('HOSTNAME');
  });

  it('has the primary group among the supplementary ones', () => {
    expect(config().process.user).toEqual({ uid: 1000, gid: 1001, additionalGids: [1001, 2000] });
  });

  it('never has inheritable or ambient capabilities', () => {
    const { capabilities } = config().process;
    expect(new Set(capabilities.bounding)).toEqual(new Set(defaultCapabilities));
    expect([capabilities.inheritable, capabilities.ambient]).toEqual([[], []]);
  });

  it('makes a network namespace for none, a cgroup namespace on cgroup2', () => {
    const types = (change: Partial<ContainerPlan>, facts: Partial<MachineFacts> = {}) =>
      config(change, facts).linux.namespaces.map(({ type }) => type);
    expect(types({})).toEqual(['pid', 'ipc', 'uts', 'mount']);
    expect(types({ network: 'none' })).toContain('network');
    expect(types({}, { cgroups: 'v2' })).toContain('cgroup');
  });

  it('opens everything for a privileged container', () => {
    const privileged = config({ privileged: true });
    expect(privileged.process.capabilities.bounding).toEqual(allCapabilities);
    expect(privileged.linux).toMatchObject({
      maskedPaths: [],
      readonlyPaths: [],
      resources: { devices: [{ allow: true, access: 'rwm' }] },
    });
    expect(privileged.linux.seccomp).toBeUndefined();
    expect(privileged.linux.devices.map(({ path }) => path)).toEqual(['/dev/fuse']);
  });

  it('starts an init in front of the command', () => {
    const withInit = config({ initPath: '/usr/bin/tini-static' });
    expect(withInit.process.args).toEqual(['/sbin/docker-init', '--', 'server', '--port', '80']);
    expect(withInit.mounts).toContainEqual(
      expect.objectContaining({ destination: '/sbin/docker-init', source: '/usr/bin/tini-static' }),
    );
  });

  it("lets the user's mount replace one of its own", () => {
    const binds = [{ source: '/my/hosts', target: '/etc/hosts', readonly: true, options: [] }];
    const hosts = config({ binds, tmpfs: [{ target: '/dev/shm/', options: '' }] }).mounts;
    expect(hosts.filter(({ destination }) => destination === '/etc/hosts').map(({ source }) => source)).toEqual([
      '/my/hosts',
    ]);
    expect(hosts.filter(({ destination }) => destination.startsWith('/dev/shm')).map(({ source }) => source)).toEqual([
      'tmpfs',
    ]);
  });

  it('makes its files read-only with a read-only root', () => {
    const options = (readonlyRoot: boolean) =>
      config({ readonlyRoot }).mounts.find(({ destination }) => destination === '/etc/hosts')?.options;
    expect(options(true)).toContain('ro');
    expect(options(false)).toContain('rw');
  });

  it('never protects a container from the OOM killer', () => {
    expect(config({}, { oomScoreAdj: -900 }).process.oomScoreAdj).toBe(0);
    expect(config({}, { oomScoreAdj: 300 }).process.oomScoreAdj).toBe(300);
  });
});
