import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BridgeNetwork, type NetworkHost, openNetworkHost, type Sandbox } from '../../../src/network/index.ts';
import { hostRules } from '../../support/network-marks.ts';
import { dockerd } from '../../support/peers.ts';
import { Peer } from './peer.ts';
import { leftOnHost, nothing } from './state.ts';

const engine = '/test/reachability';
const ANSWER_MS = 20_000;
/** Long enough for an answer that must not come; a slow machine can only make this test too kind. */
const SILENCE_MS = 700;
const lanHost = '10.88.9.1';
const red: BridgeNetwork = {
  bridge: 'bt-red',
  subnets: [
    { subnet: '10.88.1.0/24', gateway: '10.88.1.1' },
    { subnet: 'fd00:88:1::/64', gateway: 'fd00:88:1::1' },
  ],
  internal: false,
  neighbours: true,
  masquerade: true,
};
const blue: BridgeNetwork = { ...red, bridge: 'bt-blue', subnets: [{ subnet: '10.88.2.0/24', gateway: '10.88.2.1' }] };
const inner: BridgeNetwork = {
  ...red,
  bridge: 'bt-inner',
  subnets: [{ subnet: '10.88.3.0/24', gateway: '10.88.3.1' }],
  internal: true,
};

type Name = 'host' | 'lan' | 'web' | 'neighbour' | 'other' | 'secret' | 'secret2';

/** From whom, to where, and by which address one is known there (true: any; false: not reachable). */
const cases: readonly (readonly [Name, string, string | boolean])[] = [
  ['host', '10.88.1.2:80', '10.88.1.1'],
  ['host', '[fd00:88:1::2]:80', true],
  ['host', '127.0.0.1:38080', true],
  ['host', '[::1]:38080', true],
  ['host', `${lanHost}:38080`, lanHost],
  ['host', '127.0.0.1:38081', true],
  ['host', `${lanHost}:38081`, false],
  ['lan', `${lanHost}:38080`, '10.88.9.2'],
  ['lan', '[fd00:88:9::1]:38080', 'fd00:88:9::2'],
  ['lan', `${lanHost}:38081`, false],
  ['lan', '127.0.0.1:38081', false],
  ['lan', `${lanHost}:38082`, '10.88.9.2'],
  ['lan', '[fd00:88:9::1]:38083', true],
  ['lan', `${lanHost}:80`, false],
  ['lan', '10.88.1.2:80', false],
  ['lan', '[fd00:88:1::2]:80', false],
  ['lan', '10.88.3.2:80', false],
  ['web', `${lanHost}:38080`, true],
  ['web', '10.88.1.1:38080', true],
  ['web', '10.88.9.2:80', lanHost],
  ['web', '[fd00:88:9::2]:80', 'fd00:88:9::1'],
  ['neighbour', '10.88.1.2:80', '10.88.1.3'],
  ['neighbour', '[fd00:88:1::2]:80', 'fd00:88:1::3'],
  ['neighbour', '10.88.1.1:38080', true],
  ['neighbour', '10.88.1.1:38081', false],
  ['other', '10.88.1.2:80', false],
  ['other', `${lanHost}:38080`, true],
  ['other', `${lanHost}:38081`, false],
  ['other', '10.88.3.2:80', false],
  ['other', '10.88.9.2:80', lanHost],
  ['secret', '10.88.3.3:80', '10.88.3.2'],
  ['secret', '10.88.9.2:80', false],
  ['secret', '10.88.1.2:80', false],
  ['secret', `${lanHost}:38080`, false],
  ['neighbour', '10.88.3.2:80', false],
];

function ip(...args: string[]): void {
  execFileSync('ip', args);
}

let host: NetworkHost;
const sandboxes: Sandbox[] = [];
const peers = new Map<Name, Peer>();

function container(name: Name, network: BridgeNetwork, last: number): Sandbox {
  const sandbox = host.openSandbox();
  sandboxes.push(sandbox);
  host.ensureBridge(network);
  host.attach(sandbox, {
    interfaceName: 'eth0',
    link: { kind: 'bridge', bridge: network.bridge, mac: `02:42:0a:58:00:0${last}` },
    addresses: network.subnets.map(({ gateway, subnet }) => `${gateway.slice(0, -1)}${last}/${subnet.split('/')[1]}`),
  });
  const [ipv4, ipv6] = network.subnets.map(({ gateway }) => gateway);
  if (!network.internal) sandbox.setGateways({ ipv4: ipv4!, ...(ipv6 ? { ipv6 } : {}) });
  peers.set(name, new Peer(sandbox.path));
  return sandbox;
}

/** A machine beside the host, which knows ways to all of the host's networks, its loopback included. */
function lan(): void {
  const sandbox = host.openSandbox();
  sandboxes.push(sandbox);
  ip('link', 'add', 'bt-lan', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', sandbox.path);
  ip('addr', 'add', `${lanHost}/24`, 'dev', 'bt-lan');
  ip('addr', 'add', 'fd00:88:9::1/64', 'dev', 'bt-lan', 'nodad');
  ip('link', 'set', 'bt-lan', 'up');
  const inside = (...args: string[]) => execFileSync('nsenter', [`--net=${sandbox.path}`, 'ip', ...args]);
  execFileSync('nsenter', [`--net=${sandbox.path}`, 'sysctl', '-qw', 'net.ipv6.conf.eth0.disable_ipv6=0']);
  inside('link', 'set', 'lo', 'down');
  inside('addr', 'add', '10.88.9.2/24', 'dev', 'eth0');
  inside('addr', 'add', 'fd00:88:9::2/64', 'dev', 'eth0', 'nodad');
  inside('link', 'set', 'eth0', 'up');
  for (const [target, via] of [
    ['127.0.0.0/8', lanHost],
    ['10.88.0.0/16', lanHost],
    ['fd00:88::/32', 'fd00:88:9::1'],
  ] as const) {
    inside('route', 'add', target, 'via', via);
  }
  peers.set('lan', new Peer(sandbox.path));
}

async function setUp(): Promise<void> {
  host = openNetworkHost({ engine, log: () => undefined });
  const web = container('web', red, 2);
  container('neighbour', red, 3);
  container('other', blue, 2);
  container('secret', inner, 2);
  container('secret2', inner, 3);
  lan();
  peers.set('host', new Peer(null));
  expect(web.links().map(({ name }) => name)).toEqual(['lo', 'eth0']);
  await Promise.all((['web', 'other', 'secret', 'secret2', 'lan'] as const).map((name) => peers.get(name)!.listen(80)));
  const port = (hostIp: string, hostPort: number) =>
    (['tcp', 'udp'] as const).map((protocol) => ({
      protocol,
      containerPort: 80,
      hostIp,
      hostPorts: { first: hostPort, last: hostPort },
    }));
  await host.publish([...port('', 38080), ...port('127.0.0.1', 38081), ...port(lanHost, 38082)], {
    ipv4: '10.88.1.2',
    ipv6: 'fd00:88:1::2',
  });
  // A container without IPv6 is reached over IPv6 all the same.
  await host.publish(port('::', 38083), { ipv4: '10.88.2.2' });
}

async function tearDown(): Promise<void> {
  await Promise.all([...peers.values()].map((peer) => peer.close()));
  // Before the other end goes, with which it would go by itself at some moment.
  if (leftOnHost(engine).links.includes('bt-lan')) ip('link', 'del', 'bt-lan');
  for (const sandbox of sandboxes.splice(0)) sandbox.close();
  peers.clear();
  await host.close({ keep: false });
}

/** Its rules, without ours. */
function foreignRules(): string {
  const table = /^table inet berth_\w+ \{$[\s\S]*?^\}$/gm;
  return hostRules()
    .replaceAll(table, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('comment "berth_'))
    .join('\n');
}

describe.each([
  { beside: 'alone', peer: undefined },
  { beside: 'beside a running Docker', peer: () => dockerd({ networks: true }) },
])('$beside', ({ peer }) => {
  let docker: Awaited<ReturnType<typeof dockerd>> | undefined;
  let before = '';
  beforeAll(async () => {
    docker = await peer?.();
    // It does so itself only where nobody forwarded packets before it.
    if (docker) execFileSync('iptables', ['-P', 'FORWARD', 'DROP']);
    before = foreignRules();
    await setUp();
  });
  afterAll(async () => {
    await tearDown();
    await docker?.dispose();
  });

  describe.each(['tcp', 'udp'] as const)('over %s', (protocol) => {
    it('everybody reaches what they should, by the right address, and nothing else', async () => {
      const results = await Promise.all(
        cases.map(async ([from, to, expected]) => {
          const [, address = '', port] = /^\[?(.+?)\]?:(\d+)$/.exec(to)!;
          const timeoutMs = expected === false ? SILENCE_MS : ANSWER_MS;
          const known = await peers.get(from)!.reach({ protocol, host: address, port: Number(port), timeoutMs });
          const plain = known?.replace('::ffff:', '');
          return `${from} -> ${to}: ${typeof expected === 'string' ? plain : plain !== undefined}`;
        }),
      );
      expect(results).toEqual(cases.map(([from, to, expected]) => `${from} -> ${to}: ${expected}`));
    });
  });

  describe('afterwards', () => {
    it('the host has what it had before', async () => {
      await tearDown();
      await expect.poll(() => leftOnHost(engine), { timeout: 20_000 }).toEqual(nothing);
      expect(foreignRules()).toBe(before);
    });
  });
});
