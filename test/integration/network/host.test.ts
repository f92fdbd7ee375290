import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTicks } from '../../../src/linux/index.ts';
import { type BridgeNetwork, type NetworkHost, openNetworkHost, type Sandbox } from '../../../src/network/index.ts';
import { networkMarks } from '../../support/network-marks.ts';
import { Peer } from './peer.ts';
import { leftOnHost, nothing } from './state.ts';

const network: BridgeNetwork = {
  bridge: 'bt-host',
  subnets: [{ subnet: '10.89.1.0/24', gateway: '10.89.1.1' }],
  internal: false,
  neighbours: true,
  masquerade: true,
};
const engine = '/test/host';
const log = () => undefined;
const eth0 = (last: number) => ({
  interfaceName: 'eth0',
  link: { kind: 'bridge', bridge: network.bridge, mac: `02:42:0a:59:01:0${last}` } as const,
  addresses: [`10.89.1.${last}/24`],
});
const tcp = (port: number) => ({
  protocol: 'tcp' as const,
  containerPort: 80,
  hostIp: '',
  hostPorts: { first: port, last: port },
});

let host: NetworkHost;

beforeEach(() => {
  host = openNetworkHost({ engine, log });
});

afterEach(async () => {
  for (const sandbox of opened.splice(0)) sandbox.close();
  await host.close({ keep: false });
  await expect.poll(() => leftOnHost(engine), { timeout: 20_000 }).toEqual(nothing);
});

/** Closed after the test, however it ends. */
const opened: Sandbox[] = [];

function openSandbox(): Sandbox {
  const sandbox = host.openSandbox();
  opened.push(sandbox);
  return sandbox;
}

const rules = () => execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' });

describe('a network on the host', () => {
  it('is a bridge with the address and rules of it, made once', () => {
    host.ensureBridge(network);
    host.ensureBridge(network);
    const [link] = JSON.parse(execFileSync('ip', ['-j', 'addr', 'show', 'bt-host'], { encoding: 'utf8' }));
    expect(link.addr_info.map((one: { local: string; prefixlen: number }) => `${one.local}/${one.prefixlen}`)).toEqual([
      '10.89.1.1/24',
    ]);
    expect(rules()).toContain('10.89.1.0/24 : jump leaving_bt-host');
  });

  it('has all its rules again when somebody flushed them', async () => {
    host.ensureBridge(network);
    execFileSync('nft', ['delete', 'table', 'inet', networkMarks(engine).table]);
    const published = await host.publish([tcp(38191)], { ipv4: '10.89.1.2' });
    expect(rules()).toContain('tcp . 38191 : 10.89.1.2 . 80');
    expect(rules()).toContain('jump leaving_bt-host');
    published.withdraw();
    published.withdraw();
    expect(rules()).not.toContain('38191');
  });

  it('has its rules again soon, even when nothing asks for a change of them', async () => {
    host.ensureBridge(network);
    execFileSync('nft', ['delete', 'table', 'inet', networkMarks(engine).table]);
    await expect.poll(rules, { timeout: 20_000 }).toContain('jump leaving_bt-host');
  });

  it('avoids what the host reaches, and refuses what another network has', () => {
    const subnet = host.planSubnet({ family: 4 }, [{ name: 'x', subnet: '172.17.0.0/16' }]);
    // The first that is free here: others may have networks, too.
    expect(subnet.subnet).toMatch(/^(172\.(1[89]|2\d|3[01])|192\.168)\./);
    expect(subnet.gateway).toBe(subnet.subnet.replace(/0\/\d+$/, '1'));
    expect(() =>
      host.planSubnet({ family: 4, subnet: '172.17.3.0/24' }, [{ name: 'x', subnet: '172.17.0.0/16' }]),
    ).toThrow('Pool overlaps');
    expect(host.planSubnet({ family: 6 }, []).subnet).toMatch(/^fd.*::\/64$/);
  });

  it('passes the filter of a host that forwards nothing else, and leaves no rule in it', async () => {
    execFileSync('nft', [
      'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }',
    ]);
    try {
      host.ensureBridge(network);
      expect(rules()).toMatch(/iifname "bt-host" counter .*accept comment "berth_/);
      expect(rules()).toMatch(/oifname "bt-host" counter .*accept comment "berth_/);
      await host.close({ keep: false });
      expect(rules()).not.toContain('bt-host');
    } finally {
      execFileSync('nft', ['delete', 'table', 'ip', 'filter']);
    }
  });
});

describe('a bridge that somebody removed', () => {
  it('is made again by the next who needs it, with the containers that were on it', async () => {
    host.ensureBridge(network);
    const [one, two] = [openSandbox(), openSandbox()];
    host.attach(one, eth0(2));
    execFileSync('ip', ['link', 'del', network.bridge]);
    host.ensureBridge(network);
    host.attach(two, eth0(3));
    const ping = ['ping', '-c', '1', '-W', '20', '10.89.1.2'];
    execFileSync('nsenter', [`--net=${two.path}`, 'busybox', ...ping]);
    one.close();
    two.close();
  });
});

describe('a namespace for a container', () => {
  it('has the interfaces of a list when it was left with others, and those that the container made', async () => {
    host.ensureBridge(network);
    const sandbox = openSandbox();
    host.attach(sandbox, eth0(2));
    host.attach(sandbox, { ...eth0(3), interfaceName: 'eth1' });
    execFileSync('nsenter', [`--net=${sandbox.path}`, 'ip', 'link', 'add', 'own0', 'type', 'bridge']);
    const wanted = [eth0(2), { ...eth0(4), interfaceName: 'eth2' }];
    expect(await host.settle(sandbox, wanted)).toBe(true);
    const names = sandbox.links().map(({ name }) => name);
    expect(names.toSorted()).toEqual(['eth0', 'eth2', 'lo', 'own0']);
    expect(await host.settle(sandbox, wanted)).toBe(false);
    sandbox.close();
  });

  it('lives with the process in it, is found again through that, and is gone with it', async () => {
    host.ensureBridge(network);
    const sandbox = openSandbox();
    host.attach(sandbox, eth0(2));
    const child = spawn('nsenter', [`--net=${sandbox.path}`, 'sleep', '1000']);
    await once(child, 'spawn');
    const identity = { pid: child.pid!, startTicks: startTicks(child.pid!)! };
    await expect
      .poll(() => execFileSync('readlink', [`/proc/${child.pid}/exe`], { encoding: 'utf8' }))
      .toContain('sleep');
    sandbox.close();
    const found = host.enterSandbox(identity)!;
    expect(found.links().map(({ name }) => name)).toEqual(['lo', 'eth0']);
    await found.detach('eth0');
    expect(found.links().map(({ name }) => name)).toEqual(['lo']);
    found.close();
    expect(host.enterSandbox({ ...identity, startTicks: '1' })).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(host.enterSandbox(identity)).toBeUndefined();
  });

  it('has a default route when it is told one, and none after', () => {
    host.ensureBridge(network);
    const sandbox = openSandbox();
    host.attach(sandbox, eth0(2));
    const route = () => execFileSync('nsenter', [`--net=${sandbox.path}`, 'ip', 'route'], { encoding: 'utf8' });
    sandbox.setGateways({ ipv4: '10.89.1.1' });
    expect(route()).toContain('default via 10.89.1.1');
    sandbox.setGateways({});
    expect(route()).not.toContain('default');
    sandbox.close();
  });

  it('does not believe the router advertisements of its neighbours', () => {
    const sandbox = openSandbox();
    const settings = ['net.ipv6.conf.default.accept_ra', 'net.ipv6.conf.default.disable_ipv6'];
    const read = execFileSync('nsenter', [`--net=${sandbox.path}`, 'sysctl', '-n', ...settings], { encoding: 'utf8' });
    expect(read.trim().split('\n')).toEqual(['0', '1']);
    sandbox.close();
  });
});

describe('a port of the host', () => {
  it('that a container has is refused to another', async () => {
    host.ensureBridge(network);
    const first = await host.publish([tcp(38192)], { ipv4: '10.89.1.2' });
    expect(first.ports.map(({ hostIp, hostPort }) => `${hostIp} ${hostPort}`)).toEqual(['0.0.0.0 38192', ':: 38192']);
    await expect(host.publish([tcp(38193), tcp(38192)], { ipv4: '10.89.1.3' })).rejects.toMatchObject({
      kind: 'conflict',
      message: 'Bind for 0.0.0.0:38192 failed: port is already allocated',
    });
    // Nothing of a refused list stays.
    (await host.publish([tcp(38193)], { ipv4: '10.89.1.3' })).withdraw();
    first.withdraw();
    (await host.publish([tcp(38192)], { ipv4: '10.89.1.3' })).withdraw();
  });

  it('that a process has is refused with its name', async () => {
    host.ensureBridge(network);
    const server = createServer().listen(38194, '127.0.0.1');
    await once(server, 'listening');
    await expect(host.publish([tcp(38194)], { ipv4: '10.89.1.2' })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringMatching(
        new RegExp(`0.0.0.0:38194/tcp: address already in use \\(by .+, pid ${process.pid}\\)`),
      ),
    });
    server.close();
  });

  it('is another one each time when none is wished for, the same on both families', async () => {
    host.ensureBridge(network);
    const wish = { protocol: 'udp' as const, containerPort: 53, hostIp: '' };
    const published = await host.publish([wish, wish], { ipv4: '10.89.1.2' });
    const [a, b, c, d] = published.ports;
    expect([a!.hostPort, c!.hostPort]).toEqual([b!.hostPort, d!.hostPort]);
    expect(a!.hostPort).not.toBe(c!.hostPort);
    published.withdraw();
  });

  it('is refused on an address that the host does not have', async () => {
    host.ensureBridge(network);
    await expect(host.publish([{ ...tcp(38195), hostIp: '203.0.113.9' }], { ipv4: '10.89.1.2' })).rejects.toMatchObject(
      {
        kind: 'invalid',
        message: 'failed to bind host port 203.0.113.9:38195/tcp: cannot assign requested address',
      },
    );
  });
});

describe('ports that are led elsewhere', () => {
  it('are led there without a moment in between, and what the kernel remembers of datagrams is forgotten', async () => {
    host.ensureBridge(network);
    const sandboxes = [2, 3].map((last) => {
      const sandbox = openSandbox();
      host.attach(sandbox, eth0(last));
      sandbox.setGateways({ ipv4: '10.89.1.1' });
      return sandbox;
    });
    const peers = sandboxes.map((sandbox) => new Peer(sandbox.path));
    await Promise.all(peers.map((peer) => peer.listen(80)));
    const published = await host.publish([{ ...tcp(38198), protocol: 'udp' }], { ipv4: '10.89.1.2' });
    // One client, whose datagrams the kernel takes for one conversation.
    const client = createSocket('udp4');
    const answers: string[] = [];
    client.on('message', (text) => answers.push(String(text)));
    const asking = setInterval(() => client.send('?', 38198, '10.89.1.1'), 20);
    try {
      await expect.poll(() => answers.length, { timeout: 20_000 }).toBeGreaterThan(2);
      await peers[0]!.close();
      published.redirect({ ipv4: '10.89.1.3' });
      answers.length = 0;
      await expect.poll(() => answers.length, { timeout: 20_000 }).toBeGreaterThan(2);
      expect(rules()).toContain('udp . 38198 : 10.89.1.3 . 80');
    } finally {
      clearInterval(asking);
      client.close();
      for (const peer of peers) await peer.close();
      for (const sandbox of sandboxes) sandbox.close();
      published.withdraw();
    }
  });
});

describe('an engine that was killed', () => {
  it('leaves bridges and rules, of which the next keeps what is needed', async () => {
    const gone: BridgeNetwork = {
      ...network,
      bridge: 'bt-gone',
      subnets: [{ subnet: '10.89.2.0/24', gateway: '10.89.2.1' }],
    };
    const killed = openNetworkHost({ engine, log });
    killed.ensureBridge(network);
    killed.ensureBridge(gone);
    const left = await killed.publish([tcp(38196), tcp(38197)], { ipv4: '10.89.1.2' });
    left.abandon();
    await host.recover(new Set(['bt-host']), async () => {
      host.ensureBridge(network);
      await host.publish([tcp(38196)], { ipv4: '10.89.1.2' });
      // Until all is known, the rules stay as they were.
      expect(rules()).toContain('tcp . 38197');
    });
    expect(rules()).toContain('tcp . 38196');
    expect(rules()).not.toContain('38197');
    expect(rules()).not.toContain('bt-gone');
    expect(leftOnHost(engine).links).toContain('bt-host');
    expect(leftOnHost(engine).links).not.toContain('bt-gone');
  });

  it('leaves nothing that the next one needs when no container runs', async () => {
    openNetworkHost({ engine, log }).ensureBridge(network);
    await host.recover(new Set(['bt-host']), async () => undefined);
    expect(leftOnHost(engine)).toEqual(nothing);
  });
});
