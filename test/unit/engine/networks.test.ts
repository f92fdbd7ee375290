import { beforeEach, describe, expect, it } from 'vitest';
import type { ContainerCreateBody, EndpointSettingsBody } from '../../../src/api/contract/index.ts';
import type { Engine } from '../../../src/engine/index.ts';
import { linkEnvironment } from '../../../src/engine/networks/links.ts';
import {
  hostsFile,
  type ResolverChoices,
  resolvConf,
  resolvConfOfResolver,
  resolverSettings,
} from '../../../src/engine/networks/name-files.ts';
import { portList, portMap, portWishes } from '../../../src/engine/networks/ports.ts';
import type { ContainerSpec } from '../../../src/engine/ports.ts';
import { FakeMachine } from '../../support/engine-fakes.ts';

let machine: FakeMachine;
let engine: Engine;

beforeEach(async () => {
  machine = new FakeMachine();
  engine = await machine.engine();
});

const none = new Map<string, readonly string[]>();
const front = { Name: 'front', IPAM: { Config: [{ Subnet: '10.1.0.0/24' }] } };

async function running(body: Partial<ContainerCreateBody>, name: string): Promise<string> {
  const { Id } = await engine.containers.create(name, { Image: 'box', Cmd: ['sh'], ...body });
  await engine.containers.start(Id);
  return Id;
}

const inNetwork = (network: string, settings: EndpointSettingsBody = {}) => ({
  HostConfig: { NetworkMode: network },
  NetworkingConfig: { EndpointsConfig: { [network]: settings } },
});
const settingsOf = async (id: string) => (await engine.containers.inspect(id, { size: false })).NetworkSettings;

describe('networks', () => {
  it('are three to begin with, of which only bridge has a subnet, chosen when it is asked for', async () => {
    expect((await engine.networks.list({ filters: none })).map(({ Name, Driver }) => [Name, Driver])).toEqual([
      ['bridge', 'bridge'],
      ['host', 'host'],
      ['none', 'null'],
    ]);
    const { IPAM } = await engine.networks.inspect('bridge');
    expect(IPAM.Config).toEqual([{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }]);
    expect((await engine.networks.inspect('host')).IPAM.Config).toEqual([]);
  });

  it('are kept, found by name and by the beginning of their id, and removed', async () => {
    const { Id } = await engine.networks.create(front);
    expect((await engine.networks.inspect(Id.slice(0, 9))).Name).toBe('front');
    const next = await machine.engine();
    expect((await next.networks.inspect('front')).Id).toBe(Id);
    await expect(engine.networks.create(front)).rejects.toMatchObject({ kind: 'conflict' });
    await engine.networks.remove('front');
    await expect(engine.networks.inspect('front')).rejects.toMatchObject({ kind: 'not-found' });
    expect(machine.networks.bridges.size).toBe(0);
  });

  it('with containers in them stay', async () => {
    await engine.networks.create(front);
    const id = await running(inNetwork('front'), 'web');
    await expect(engine.networks.remove('front')).rejects.toMatchObject({
      kind: 'forbidden',
      message: `error while removing network: network front has active endpoints (name:"web" id:"${id.slice(0, 12)}")`,
    });
    expect((await engine.networks.prune({ filters: none })).NetworksDeleted).toEqual([]);
    await engine.containers.remove(id, { force: true, volumes: false });
    expect((await engine.networks.prune({ filters: none })).NetworksDeleted).toEqual(['front']);
  });
});

describe('a container in a network', () => {
  it('has an address there while it runs, and tells of it', async () => {
    await engine.networks.create(front);
    const id = await running(inNetwork('front', { Aliases: ['www'] }), 'web');
    const { Networks } = await settingsOf(id);
    expect(Networks).toMatchObject({
      front: { IPAddress: '10.1.0.2', IPPrefixLen: 24, Gateway: '10.1.0.1', MacAddress: '02:42:0a:01:00:02' },
    });
    expect(Networks['front']).toMatchObject({ DNSNames: ['web', 'www', id.slice(0, 12)] });
    expect((await engine.networks.inspect('front')).Containers[id]).toMatchObject({ IPv4Address: '10.1.0.2/24' });
    await engine.containers.kill(id, 'SIGKILL');
    await engine.containers.remove(id, { force: true, volumes: false });
    expect((await engine.networks.inspect('front')).Containers).toEqual({});
    expect(machine.networks.open).toBe(0);
  });

  it('has ports on the host while it runs', async () => {
    const host = { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } };
    const id = await running({ HostConfig: host, ExposedPorts: { '90/tcp': {} } }, 'web');
    expect((await settingsOf(id)).Ports).toEqual({
      '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }],
      '90/tcp': null,
    });
    expect([...machine.networks.published]).toEqual([8080]);
    await engine.containers.remove(id, { force: true, volumes: false });
    expect([...machine.networks.published]).toEqual([]);
  });

  it('can join another one, and leave it', async () => {
    await engine.networks.create(front);
    const id = await running({}, 'web');
    await engine.networks.connect('front', 'web', { IPAMConfig: { IPv4Address: '10.1.0.9' } });
    expect((await settingsOf(id)).Networks).toMatchObject({ bridge: {}, front: { IPAddress: '10.1.0.9' } });
    await expect(engine.networks.connect('front', 'web', {})).rejects.toMatchObject({ kind: 'forbidden' });
    await engine.networks.disconnect('front', 'web');
    expect(Object.keys((await settingsOf(id)).Networks)).toEqual(['bridge']);
    expect(machine.networks.detached).toEqual(['eth1']);
    await expect(engine.networks.disconnect('front', 'web')).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it('that cannot have its address does not start, and takes nothing', async () => {
    await engine.networks.create(front);
    await running(inNetwork('front', { IPAMConfig: { IPv4Address: '10.1.0.7' } }), 'one');
    const { Id } = await engine.containers.create('two', {
      Image: 'box',
      Cmd: ['sh'],
      ...inNetwork('front', { IPAMConfig: { IPv4Address: '10.1.0.7' } }),
    });
    await expect(engine.containers.start(Id)).rejects.toMatchObject({ message: 'Address already in use' });
    expect(Object.keys((await engine.networks.inspect('front')).Containers)).toHaveLength(1);
    expect(machine.networks.open).toBe(0);
  });

  it('keeps its address when another engine takes over', async () => {
    await engine.networks.create(front);
    const id = await running(inNetwork('front'), 'web');
    const next = await machine.engine();
    expect((await next.networks.inspect('front')).Containers[id]).toMatchObject({ IPv4Address: '10.1.0.2/24' });
    const { Id } = await next.containers.create('two', { Image: 'box', Cmd: ['sh'], ...inNetwork('front') });
    await next.containers.start(Id);
    expect((await next.containers.inspect(Id, { size: false })).NetworkSettings.Networks).toMatchObject({
      front: { IPAddress: '10.1.0.3' },
    });
  });

  it.each([
    [inNetwork('bridge', { IPAMConfig: { IPv4Address: '172.17.0.9' } }), 'user specified IP address is supported'],
    [
      { HostConfig: { NetworkMode: 'container:x', PortBindings: { '1/tcp': [] } } },
      'conflicting options: port publishing',
    ],
    [{ HostConfig: { PortBindings: { x: [] } } }, 'invalid port specification: "x"'],
  ])('%j is a mistake', async (body, message) => {
    const created = engine.containers.create('web', { Image: 'box', Cmd: ['sh'], ...body } as ContainerCreateBody);
    await expect(created).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining(message) });
  });
});

describe('a network that does not exist', () => {
  it('is missed by the start, as Docker has it, and may be there by then', async () => {
    const { Id } = await engine.containers.create('early', { Image: 'box', Cmd: ['sh'], ...inNetwork('front') });
    await expect(engine.containers.start(Id)).rejects.toMatchObject({
      kind: 'not-found',
      message: 'network front not found',
    });
    const network = await engine.networks.create(front);
    await engine.containers.start(Id);
    const { NetworkSettings } = await engine.containers.inspect(Id, { size: false });
    expect(NetworkSettings.Networks).toMatchObject({ front: { NetworkID: network.Id, IPAddress: '10.1.0.2' } });
  });
});

describe('files of names', () => {
  it('list addresses, and the servers that a container can reach', () => {
    expect(hostsFile([{ address: '10.0.0.2', names: ['web.example.org', 'web'] }])).toMatch(
      /^127.0.0.1\tlocalhost\n[\s\S]*\n10.0.0.2\tweb.example.org web\n$/,
    );
    const host = '# written by hand\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch a b\noptions edns0\n';
    const no = { servers: [], search: [], options: [] };
    expect(resolvConf(host, no)).toBe('nameserver 192.0.2.1\nsearch a b\noptions edns0\n');
    expect(resolvConf('nameserver ::1\n', no)).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
    expect(resolvConf(host, { servers: ['9.9.9.9'], search: ['.'], options: ['ndots:2'] })).toBe(
      'nameserver 9.9.9.9\noptions ndots:2\n',
    );
    const v6 = 'nameserver 2001:db8::1\n';
    expect(resolvConf(v6, no, { ipv6: true })).toBe(v6);
    expect(resolvConf(v6, no)).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
    expect(resolvConf('nameserver 10.0.0.1\nsearch a\ndomain b c\nsearch\noptions x\noptions y\n', no)).toBe(
      'nameserver 10.0.0.1\nsearch b c\noptions x y\n',
    );
  });

  it('lead to the resolver, which asks those servers', () => {
    const no = { servers: [], search: [], options: [] };
    const host = 'nameserver 127.0.0.53\nsearch a b\noptions edns0\n';
    const file = (text: string, chosen: ResolverChoices = no) => resolvConfOfResolver(text, chosen, '127.0.0.11');
    expect(file(host)).toBe('nameserver 127.0.0.11\nsearch a b\noptions edns0 ndots:0\n');
    expect(file('options ndots:x\n')).toBe('nameserver 127.0.0.11\noptions ndots:0\n');
    expect(file(host, { ...no, search: ['.'], options: ['ndots:2'] })).toBe('nameserver 127.0.0.11\noptions ndots:2\n');
    expect(resolverSettings(host, no).servers).toEqual(['127.0.0.53']);
    expect(resolverSettings(host, { ...no, servers: ['9.9.9.9'] }).servers).toEqual(['9.9.9.9']);
  });
});

describe('ports', () => {
  it('are wished for by bindings, and by -P for what is exposed', () => {
    const config = { ExposedPorts: { '80/tcp': {}, '53/udp': {} } };
    const host = {
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8000-8009' }] },
      PublishAllPorts: true,
    };
    expect(portWishes(config, host)).toEqual([
      { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPorts: { first: 8000, last: 8009 } },
      { protocol: 'udp', containerPort: 53, hostIp: '' },
    ]);
    expect(() => portWishes({}, { PortBindings: { '80/tcp': [{ HostPort: '9-1' }] } })).toThrow('invalid port');
  });

  it('are shown in both forms of the API', () => {
    const config = { ExposedPorts: { '53/udp': {} } };
    const published = [{ protocol: 'tcp', hostIp: '::', hostPort: 8080, containerPort: 80 } as const];
    expect(portMap(config, published)).toEqual({ '53/udp': null, '80/tcp': [{ HostIp: '::', HostPort: '8080' }] });
    expect(portList(config, published)).toEqual([
      { PrivatePort: 53, Type: 'udp' },
      { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    ]);
  });
});

describe('links', () => {
  it('give lines of hosts and the variables that Docker gives', async () => {
    const redis = await running({ Env: ['PATH=/bin', 'VERSION=4'], ExposedPorts: { '6379/tcp': {} } }, 'redis');
    const id = await running({ HostConfig: { Links: ['redis:data-base'] } }, 'web');
    const { env, names } = machine.runtime.of(id).spec as ContainerSpec;
    expect(names?.hosts).toContain(`172.17.0.2\tdata-base ${redis.slice(0, 12)} redis\n`);
    expect(env.filter((line) => line.startsWith('DATA_BASE'))).toEqual([
      'DATA_BASE_PORT=tcp://172.17.0.2:6379',
      'DATA_BASE_PORT_6379_TCP=tcp://172.17.0.2:6379',
      'DATA_BASE_PORT_6379_TCP_ADDR=172.17.0.2',
      'DATA_BASE_PORT_6379_TCP_PORT=6379',
      'DATA_BASE_PORT_6379_TCP_PROTO=tcp',
      'DATA_BASE_NAME=/web/data-base',
      'DATA_BASE_ENV_VERSION=4',
      'DATA_BASE_ENV_A=image',
    ]);
  });

  it('tell of ports in a row as ranges, TCP first', () => {
    const ports = [53, 82, 80, 81].map((port) => ({ port, protocol: port === 53 ? 'udp' : 'tcp' }));
    const lines = linkEnvironment({ alias: 'a', owner: 'o', ipv4: '10.0.0.2', ports, env: [] });
    expect(lines[0]).toBe('A_PORT=tcp://10.0.0.2:80');
    expect(lines).toContain('A_PORT_80_TCP_START=tcp://10.0.0.2:80');
    expect(lines).toContain('A_PORT_80_TCP_END=tcp://10.0.0.2:82');
    expect(lines).toContain('A_PORT_80_TCP_PORT_END=82');
    expect(lines).not.toContain('A_PORT_53_UDP_START=udp://10.0.0.2:53');
  });

  it('need their container, and that it runs', async () => {
    const linked = { Image: 'box', Cmd: ['sh'], HostConfig: { Links: ['redis'] } };
    await expect(engine.containers.create('web', linked)).rejects.toMatchObject({ kind: 'invalid' });
    await engine.containers.create('redis', { Image: 'box', Cmd: ['sh'] });
    const { Id } = await engine.containers.create('web', linked);
    await expect(engine.containers.start(Id)).rejects.toMatchObject({
      message: 'Cannot link to a non running container: /redis AS /web/redis',
    });
  });
});
