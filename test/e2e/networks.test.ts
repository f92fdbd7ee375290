import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host, until } from '../support/host.ts';

describe('networks', () => {
  const host = new Host();
  beforeAll(() => host.importBase('busybox'));
  afterAll(() => host.dispose());

  const ok = (line: string) => host.ok(line.split(' '));
  const serve = ['sh', '-c', 'echo hi > /tmp/index.html; exec httpd -f -h /tmp'];
  const fetched = async (url: string) => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(20_000) });
    return (await answer.text()).trim();
  };
  const inspect = async (format: string, name: string) => (await host.ok(['inspect', '-f', format, name])).trim();
  const subnetOfBridge = async () =>
    (await host.ok(['network', 'inspect', '-f', '{{(index .IPAM.Config 0).Subnet}}', 'bridge'])).trim();
  const address = (name: string, network: string) =>
    inspect(`{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name);

  it('let containers of one network reach each other, and keep those of another out', async () => {
    await ok('network create --subnet 10.91.1.0/24 one');
    await ok('network create --subnet 10.91.2.0/24 two');
    await host.ok(['run', '-d', '--name', 'box-a', '--network', 'one', '--ip', '10.91.1.77', 'busybox', ...serve]);
    const ask = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 10.91.1.77 80";
    const answer = async (network: string) =>
      (await host.berth(['run', '--rm', '--network', network, 'busybox', 'sh', '-c', ask])).stdout;
    await until(async () => (await answer('one')).endsWith('hi\n'));
    expect(await answer('two')).toBe('');
    expect(await address('box-a', 'one')).toBe('10.91.1.77');
    expect((await host.berth(['network', 'rm', 'one'])).stderr).toMatch(
      /network one has active endpoints \(name:"box-a"/,
    );
    const taken = await host.berth(['run', '--rm', '--network', 'one', '--ip', '10.91.1.77', 'busybox', 'true']);
    expect(taken).toMatchObject({ code: 125, stderr: expect.stringContaining('Address already in use') });
    await ok('rm -f box-a');
    await ok('network rm one two');
  });

  it('can be joined and left while a container runs, which keeps its published ports', async () => {
    await ok('network create --subnet 10.91.3.0/24 three');
    await host.ok(['run', '-d', '--name', 'box-b', '-p', '38290:80', 'busybox', ...serve]);
    await ok('network connect three box-b');
    const interfaces = () => host.ok(['exec', 'box-b', 'ip', '-o', 'link']);
    expect(await interfaces()).toMatch(/eth0[\s\S]*eth1/);
    expect(await host.ok(['exec', 'box-b', 'cat', '/etc/hosts'])).toContain('10.91.3.2');
    await ok('network disconnect bridge box-b');
    expect(await interfaces()).not.toMatch(/eth0/);
    await until(async () => (await fetched('http://127.0.0.1:38290/')) === 'hi');
    expect(await ok('port box-b')).toBe('80/tcp -> 0.0.0.0:38290\n80/tcp -> [::]:38290\n');
    await ok('rm -f box-b');
    await ok('network rm three');
  });

  it('of another container can be shared', async () => {
    await host.ok(['run', '-d', '--name', 'box-c', '--hostname', 'shared', 'busybox', ...serve]);
    const inside = await host.ok([
      'run',
      '--rm',
      '--network',
      'container:box-c',
      'busybox',
      'sh',
      '-c',
      'hostname; cat /etc/hosts',
    ]);
    expect(inside).toMatch(/^shared\n/);
    expect(inside).toContain(`${await address('box-c', 'bridge')}\tshared`);
    const conflict = await host.berth(['run', '--rm', '-p', '1:1', '--network', 'container:box-c', 'busybox', 'true']);
    expect(conflict).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('port publishing and the container type'),
    });
    await ok('rm -f box-c');
  });

  it('say what is wrong', async () => {
    await ok('network create --subnet 10.91.8.0/30 tiny');
    await ok('create --name idle --network tiny busybox sleep 1000');
    await ok('run -d --name only --network tiny busybox sleep 1000');
    const cases: readonly (readonly [string, string])[] = [
      ['run --rm --network nope busybox true', 'network nope not found'],
      ['network create bridge', 'network with name bridge already exists'],
      ['network create --driver weave x', 'plugin "weave" not found'],
      ['network create --subnet 10.91.9.0/33 x', 'invalid CIDR address: 10.91.9.0/33'],
      [
        'network create --subnet 10.91.9.0/24 --gateway 10.92.0.1 x',
        'no configured subnet contains IP address 10.92.0.1',
      ],
      ['network create tiny', 'network with name tiny already exists'],
      ['network create --subnet 10.91.0.0/16 x', 'Pool overlaps with other one on this address space'],
      ['network create --subnet 10.91.10.0/24 --subnet 10.91.10.0/25 x', 'Pool overlaps'],
      ['network create -o com.docker.network.bridge.name=much-too-long-a-name x', 'invalid interface name'],
      ['network create -o com.docker.network.bridge.name=lo x', 'the interface lo exists, and is not a bridge'],
      ['network create a/b', 'invalid network name "a/b"'],
      ['network create --config-only x', '--config-only'],
      ['start idle', 'no available IPv4 addresses on this network'],
      ['run --rm --network tiny --ip 10.92.0.1 busybox true', 'no configured subnet contains IP address 10.92.0.1'],
      ['network connect tiny only', 'endpoint with name only already exists in network tiny'],
      ['network disconnect bridge only', 'is not connected to network'],
      ['network disconnect --force tiny nobody', 'No such container: nobody'],
      ['network rm host', 'host is a pre-defined network and cannot be removed'],
      ['network connect host nobody', 'No such container: nobody'],
      ['run --rm --ip 172.17.0.9 busybox true', 'user specified IP address is supported on user defined networks only'],
    ];
    for (const [line, message] of cases) {
      const { code, stderr } = await host.berth(line.split(' '));
      expect([code === 0, stderr], line).toEqual([false, expect.stringContaining(message)]);
      expect(stderr, line).not.toMatch(/^\s+at /m);
    }
    await ok('rm -f only');
    await ok('start idle');
    await ok('rm -f idle');
    await ok('network rm tiny');
  });

  it('need no pull for a network that is not there, nor does the docker CLI', async () => {
    const { code, stderr } = await host.docker(['run', '--name', 'lost', '--network', 'nope', 'busybox', 'true']);
    expect({ code, stderr }).toMatchObject({ code: 125, stderr: expect.stringMatching(/network nope not found/) });
    expect(stderr).not.toContain('Unable to find image');
    expect(await inspect('{{.State.Status}}', 'lost')).toBe('created');
    await ok('rm lost');
  });

  it('are mended when somebody removed the bridge below running containers', async () => {
    await ok('network create --subnet 10.91.5.0/24 -o com.docker.network.bridge.name=bt-mended five');
    await host.ok(['run', '-d', '--name', 'box-e', '--network', 'five', '-p', '38292:80', 'busybox', ...serve]);
    execFileSync('ip', ['link', 'del', 'bt-mended']);
    const ask = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 box-e 80";
    await until(async () =>
      (await host.berth(['run', '--rm', '--network', 'five', 'busybox', 'sh', '-c', ask])).stdout.endsWith('hi\n'),
    );
    expect(await fetched('http://127.0.0.1:38292/')).toBe('hi');
    await ok('rm -f box-e');
    await ok('network rm five');
  });

  it('outlive a killed engine: addresses, ports, and nothing that nobody has', async () => {
    await ok('network create --subnet 10.91.4.0/24 four');
    await host.ok(['run', '-d', '--name', 'box-d', '--network', 'four', '-p', '38291:80', 'busybox', ...serve]);
    await until(async () => (await fetched('http://127.0.0.1:38291/')) === 'hi');
    const before = await address('box-d', 'four');
    await host.killEngine();
    // The rules are the kernel's: nobody is needed to follow them.
    expect(await fetched('http://127.0.0.1:38291/')).toBe('hi');
    expect(await address('box-d', 'four')).toBe(before);
    expect(await fetched('http://127.0.0.1:38291/')).toBe('hi');
    const second = await host.berth(['run', '--rm', '-p', '38291:80', 'busybox', 'true']);
    expect(second).toMatchObject({ code: 125, stderr: expect.stringContaining('port is already allocated') });
    const other = await host.ok([
      'run',
      '--rm',
      '--network',
      'four',
      'busybox',
      'ip',
      '-o',
      '-4',
      'addr',
      'show',
      'eth0',
    ]);
    expect(other).not.toContain(`${before}/`);
    await ok('rm -f box-d');
    const rules = execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' });
    expect(rules).not.toContain('38291');
    await ok('network rm four');
  });

  it('give steps of a build the default network', async () => {
    const input = 'FROM busybox\nRUN ip -o -4 addr show eth0\n';
    const { stdout, stderr } = await host.berth(['build', '--progress', 'plain', '-'], { input });
    expect(`${stdout}${stderr}`).toContain(`inet ${(await subnetOfBridge()).replace(/\.0\.0\/16$/, '.')}`);
  });
});
