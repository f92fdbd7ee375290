import { describe, expect, it } from 'vitest';
import { chooseNetworks } from '../../../src/cli/container/networks.ts';
import { parsePorts } from '../../../src/cli/container/ports.ts';

const bindings = (...texts: string[]) => parsePorts(texts, []).bindings;
const one = (HostIp: string, HostPort: string) => [{ HostIp, HostPort }];

describe('-p', () => {
  it.each([
    ['80', { '80/tcp': one('', '') }],
    ['8080:80', { '80/tcp': one('', '8080') }],
    ['8080:80/UDP', { '80/udp': one('', '8080') }],
    ['127.0.0.1:8080:80', { '80/tcp': one('127.0.0.1', '8080') }],
    ['127.0.0.1::80', { '80/tcp': one('127.0.0.1', '') }],
    ['[::1]:8080:80', { '80/tcp': one('::1', '8080') }],
    ['::1:8080:80', { '80/tcp': one('::1', '8080') }],
    ['8000-8010:80', { '80/tcp': one('', '8000-8010') }],
    ['8000-8001:80-81', { '80/tcp': one('', '8000'), '81/tcp': one('', '8001') }],
    ['80-81', { '80/tcp': one('', ''), '81/tcp': one('', '') }],
    ['target=80,published=8080,protocol=udp', { '80/udp': one('', '8080') }],
  ])('%s', (text, expected) => {
    expect(bindings(text)).toEqual(expected);
  });

  it('gives a port several places', () => {
    expect(bindings('1:80', '127.0.0.1:2:80')).toEqual({ '80/tcp': [...one('', '1'), ...one('127.0.0.1', '2')] });
  });

  it.each([
    ['', 'no port specified: <empty>'],
    ['8080:', 'no port specified: 8080:<empty>'],
    ['x', 'invalid containerPort: x'],
    ['x:80', 'invalid hostPort: x'],
    ['70000:80', 'invalid hostPort: 70000'],
    ['80/icmp', 'invalid proto: icmp'],
    ['300.0.0.1:80:80', 'invalid IP address: 300.0.0.1'],
    ['1-2:80-82', 'invalid ranges specified for container and host Ports: 80-82 and 1-2'],
    ['9-8', 'invalid containerPort: 9-8'],
    ['to=80', 'invalid field key to in port "to=80"'],
  ])('%j is a mistake', (text, message) => {
    expect(() => bindings(text)).toThrow(message);
  });
});

describe('--expose', () => {
  it('takes ports and ranges', () => {
    expect(Object.keys(parsePorts(['1:80'], ['90', '100-101/udp']).exposed)).toEqual([
      '80/tcp',
      '90/tcp',
      '100/udp',
      '101/udp',
    ]);
    expect(() => parsePorts([], ['1:2'])).toThrow('invalid port format for --expose: 1:2');
  });
});

describe('--network', () => {
  const choose = (given: Readonly<Record<string, string | readonly string[]>>) =>
    chooseNetworks({
      flags: {
        list: (name: string) => (given[name] ?? []) as readonly string[],
        string: (name: string) => given[name] as string | undefined,
      } as never,
    });

  it('is the default one, or the one that is named', () => {
    expect(choose({})).toEqual({ mode: 'default', endpoints: {}, links: [] });
    expect(choose({ network: ['front'] })).toEqual({ mode: 'front', endpoints: {}, links: [] });
    expect(choose({ network: ['container:web'] })).toEqual({ mode: 'container:web', endpoints: {}, links: [] });
  });

  it('may be several, each with its own options', () => {
    const network = ['front', 'name=back,alias=db,alias=store,ip=10.0.0.9,gw-priority=3,driver-opt=a=b'];
    expect(choose({ network, ip: '10.1.0.9', 'network-alias': ['www'], 'mac-address': '02:00:00:00:00:01' })).toEqual({
      mode: 'front',
      endpoints: {
        front: { IPAMConfig: { IPv4Address: '10.1.0.9' }, Aliases: ['www'], MacAddress: '02:00:00:00:00:01' },
        back: {
          IPAMConfig: { IPv4Address: '10.0.0.9' },
          Aliases: ['db', 'store'],
          DriverOpts: { a: 'b' },
          GwPriority: 3,
        },
      },
      links: [],
    });
  });

  it('says links where they belong', () => {
    expect(choose({ link: ['a:b'] })).toEqual({ mode: 'default', endpoints: {}, links: ['a:b'] });
    expect(choose({ link: ['a:b'], network: ['front'] })).toEqual({
      mode: 'front',
      endpoints: { front: { Links: ['a:b'] } },
      links: [],
    });
  });

  it.each([
    [{ network: ['a', 'a'] }, 'network is specified multiple times'],
    [{ network: ['alias=x'] }, 'network name/id is not specified'],
    [{ network: ['name=a,colour=red'] }, 'invalid field key colour'],
    [{ network: ['name=a,ip=10.0.0.1'], ip: '10.0.0.2' }, 'conflicting options: cannot specify --ip'],
  ])('%j is a mistake', (given, message) => {
    expect(() => choose(given as never)).toThrow(message);
  });
});
