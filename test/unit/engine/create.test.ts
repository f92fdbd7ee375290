import { beforeEach, describe, expect, it } from 'vitest';
import type { ContainerCreateBody, HostConfigBody } from '../../../src/api/contract/index.ts';
import { mergeConfig, overrideEnv } from '../../../src/engine/containers/merge-config.ts';
import type { Engine } from '../../../src/engine/index.ts';
import { FakeMachine } from '../../support/engine-fakes.ts';

let machine: FakeMachine;
let engine: Engine;

beforeEach(async () => {
  machine = new FakeMachine();
  engine = await machine.engine();
});

const create = (body: ContainerCreateBody, name?: string) => engine.containers.create(name, { Image: 'box', ...body });
const inspectNew = async (body: ContainerCreateBody) =>
  engine.containers.inspect((await create(body)).Id, { size: false });

/** As the docker CLI 28 sends it when no flag is given. */
const untouched: HostConfigBody = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: { Type: '', Config: {} },
  NetworkMode: 'default',
  PortBindings: {},
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [40, 120],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: '',
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: '',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: 0,
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  CpuPeriod: 0,
  Devices: [],
  DeviceRequests: null,
  MemorySwap: 0,
  MemorySwappiness: -1,
  OomKillDisable: false,
  PidsLimit: 0,
  Ulimits: [],
  MaskedPaths: null,
  ReadonlyPaths: null,
};

describe('create', () => {
  it('takes what the docker CLI sends when nothing is asked for', async () => {
    const endpoint = { IPAMConfig: null, Links: null, Aliases: null, GwPriority: 0, NetworkID: '', DNSNames: null };
    const body = { HostConfig: untouched, NetworkingConfig: { EndpointsConfig: { default: endpoint } }, Volumes: {} };
    const created = await create({ ...body, Env: null, Cmd: null, Entrypoint: null });
    expect(created).toEqual({ Id: expect.stringMatching(/^[0-9a-f]{64}$/), Warnings: [] });
    const { HostConfig, Config, Path, Args } = await engine.containers.inspect(created.Id, { size: false });
    expect(HostConfig.NetworkMode).toBe('bridge');
    expect(Config.Hostname).toBe(created.Id.slice(0, 12));
    expect([Path, ...Args]).toEqual(['sh']);
  });

  it.each([
    ['--restart', { RestartPolicy: { Name: 'always' } }],
    ['--log-driver', { LogConfig: { Type: 'syslog', Config: {} } }],
    ['--log-opt', { LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } } }],
    ['SomethingNew', { SomethingNew: 1 }],
  ] as const)('refuses %s by name, and makes nothing', async (flag, host) => {
    await expect(create({ HostConfig: host })).rejects.toMatchObject({
      kind: 'unsupported',
      message: `${flag} is not there yet in this version of Berth`,
    });
    expect([machine.store.containers, machine.snapshots.layers.size]).toEqual([0, 0]);
  });

  it('refuses health checks', async () => {
    const health = { Healthcheck: { Test: ['CMD', 'x'] } } as ContainerCreateBody;
    await expect(create(health)).rejects.toMatchObject({ kind: 'unsupported' });
    await create({ Healthcheck: { Test: ['NONE'] } } as ContainerCreateBody);
  });

  it('of an image that is not there says which, and frees the name', async () => {
    await expect(create({ Image: 'nope' }, 'web')).rejects.toMatchObject({
      kind: 'not-found',
      message: 'No such image: nope:latest',
    });
    await create({}, 'web');
  });

  it('leaves nothing behind when the record cannot be written', async () => {
    machine.store.writeFailure = Object.assign(new Error('full'), { code: 'ENOSPC' });
    await expect(create({}, 'web')).rejects.toThrow('full');
    expect(machine.snapshots.layers.size).toBe(0);
    machine.store.writeFailure = undefined;
    await create({}, 'web');
  });

  it('checks runtime, capabilities, signal and working directory', async () => {
    await expect(create({ HostConfig: { Runtime: 'kata' } })).rejects.toThrow('unknown or invalid runtime name: kata');
    await expect(create({ HostConfig: { CapAdd: ['FLY'] } })).rejects.toThrow(
      'invalid CapAdd: unknown capability: "FLY"',
    );
    await expect(create({ StopSignal: 'SIGNOPE' })).rejects.toThrow('invalid signal: SIGNOPE');
    await expect(create({ WorkingDir: 'here' })).rejects.toThrow("the working directory 'here' is invalid");
  });

  it('hands the resolved process to the runtime', async () => {
    const { Id } = await create({
      Cmd: ['-c', 'x'],
      Entrypoint: ['/bin/sh'],
      Env: ['B=own'],
      User: 'app',
      Tty: true,
      Hostname: 'boat',
      HostConfig: {
        CapAdd: ['net_admin'],
        CapDrop: ['ALL'],
        Tmpfs: { '/t': 'size=1m' },
        Init: true,
        NetworkMode: 'none',
      },
    });
    await engine.containers.start(Id);
    expect(machine.runtime.of(Id).spec).toEqual({
      id: Id,
      runtime: 'crun',
      rootPath: `/roots/${Id}`,
      readonlyRoot: false,
      argv: ['/bin/sh', '-c', 'x'],
      env: ['B=own', 'PATH=/bin', 'A=image'],
      cwd: '/work',
      user: 'app',
      hostname: 'boat',
      tty: true,
      openStdin: false,
      stdinOnce: false,
      network: 'none',
      init: true,
      privileged: false,
      capAdd: ['CAP_NET_ADMIN'],
      capDrop: ['ALL'],
      binds: [],
      tmpfs: [{ target: '/t', options: 'size=1m' }],
      shmSizeBytes: 64 * 1024 * 1024,
      limits: {},
      isolation: expect.objectContaining({ oomScoreAdj: 0, ulimits: [], devices: [], groups: [] }),
    });
  });
});

describe('names', () => {
  it('are given when none is asked for', async () => {
    expect((await inspectNew({})).Name).toMatch(/^\/[a-z]+_[a-z]+$/);
  });

  it('belong to one container', async () => {
    const { Id } = await create({}, 'web');
    await expect(create({}, '/web')).rejects.toMatchObject({
      kind: 'conflict',
      message:
        `Conflict. The container name "/web" is already in use by container "${Id}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    });
    await engine.containers.remove('web', { force: false, volumes: false });
    await create({}, 'web');
  });

  it.each(['a', '-web', 'we b', 'wëb'])('cannot be %s', async (name) => {
    await expect(create({}, name)).rejects.toMatchObject({
      kind: 'invalid',
      message: `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    });
  });

  it('can be changed, and the old one is free again', async () => {
    const { Id } = await create({}, 'old');
    await engine.containers.rename('old', 'new');
    expect((await engine.containers.inspect('new', { size: false })).Id).toBe(Id);
    await create({}, 'old');
    await expect(engine.containers.rename('new', 'old')).rejects.toMatchObject({ kind: 'conflict' });
  });

  it('find a container as a unique beginning of its id does', async () => {
    const { Id } = await create({}, 'web');
    for (const ref of [Id, Id.slice(0, 12), 'web', '/web']) {
      expect((await engine.containers.inspect(ref, { size: false })).Id).toBe(Id);
    }
    await expect(engine.containers.inspect('nope', { size: false })).rejects.toMatchObject({
      kind: 'not-found',
      message: 'No such container: nope',
    });
  });

  it('tell of a beginning that several ids have', async () => {
    for (let i = 0; i < 17; i++) await create({});
    const ids = (await engine.containers.list({ all: true, size: false, filters: new Map() })).map(({ Id }) => Id);
    const shared = ids.map((id) => id[0]!).find((digit, at, all) => all.indexOf(digit) !== at)!;
    await expect(engine.containers.inspect(shared, { size: false })).rejects.toMatchObject({
      kind: 'invalid',
      message: `multiple IDs found with provided prefix: ${shared}`,
    });
  });
});

describe('bind mounts', () => {
  const bind = (text: string) => create({ HostConfig: { Binds: [text] } });

  it('are read with their options', async () => {
    const { Mounts } = await inspectNew({ HostConfig: { Binds: ['/src/./a/../b:/dst/:ro,rslave,z'] } });
    expect(Mounts).toEqual([
      { Type: 'bind', Source: '/src/b', Destination: '/dst', Mode: 'ro,rslave,z', RW: false, Propagation: 'rslave' },
    ]);
  });

  it.each([
    ['./a:/dst', 'the source must be an absolute path'],
    ['/a:dst', 'the mount path must be absolute'],
    ['/a:/', "destination can't be '/'"],
    ['/a:/b:ro:x', "invalid volume specification: '/a:/b:ro:x'"],
    ['/a:/b:rq', 'invalid mode: rq'],
    ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
  ])('%s is refused', async (text, why) => {
    await expect(bind(text)).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining(why) });
  });

  it('cannot share a target', async () => {
    await expect(create({ HostConfig: { Binds: ['/a:/x', '/b:/x/'] } })).rejects.toThrow('Duplicate mount point: /x');
  });
});

describe('a request merged with its image', () => {
  const image = { Entrypoint: ['/init'], Cmd: ['serve'], Env: ['A=1', 'B=1'], Labels: { a: '1', b: '1' }, User: 'web' };

  it.each([
    ['nothing', {}, ['/init'], ['serve']],
    ['a command', { Cmd: ['x'] }, ['/init'], ['x']],
    ['an entrypoint', { Entrypoint: ['/e'] }, ['/e'], null],
    ['both', { Entrypoint: ['/e'], Cmd: ['x'] }, ['/e'], ['x']],
    ['an empty entrypoint and a command', { Entrypoint: [''], Cmd: ['x'] }, null, ['x']],
  ] as const)('that names %s', (_what, body, entrypoint, command) => {
    expect(mergeConfig(body, image)).toMatchObject({ Entrypoint: entrypoint, Cmd: command });
  });

  it('has something to run', () => {
    expect(() => mergeConfig({ Entrypoint: [''] }, image)).toThrow('no command specified');
    expect(() => mergeConfig({}, {})).toThrow('no command specified');
  });

  it('overrides variables and labels by name', () => {
    const merged = mergeConfig({ Env: ['B=2', 'C'], Labels: { b: '2' } }, image);
    expect(merged.Env).toEqual(['B=2', 'C', 'A=1']);
    expect(merged.Labels).toEqual({ a: '1', b: '2' });
    expect(merged.User).toBe('web');
  });

  it('takes away a variable that has no value', () => {
    expect(overrideEnv(['A=1', 'B=1'], ['A', 'C=3', 'B=2'])).toEqual(['B=2', 'C=3']);
  });
});
