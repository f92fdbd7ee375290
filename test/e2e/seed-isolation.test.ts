import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host, until } from '../support/host.ts';

/** The course's chapters on running, networks, storage and the engine, with small images under the names it uses. */
const IMAGES = {
  redis: 'FROM busybox\nENV REDIS_VERSION=4.0\nEXPOSE 6379\nCMD ["nc", "-ll", "-p", "6379", "-e", "echo", "+PONG"]\n',
  ubuntu: 'FROM busybox\nCMD ["sh"]\n',
  alpine: 'FROM busybox\nCMD ["sh"]\n',
  mysql: 'FROM busybox\nRUN mkdir -p /var/lib/mysql && echo new > /var/lib/mysql/ibdata\nCMD ["sleep", "600"]\n',
  'centos/nodejs-4-centos7':
    'FROM busybox\nRUN mkdir /www && echo node > /www/index.html\nEXPOSE 3000\nCMD ["httpd", "-f", "-p", "3000", "-h", "/www"]\n',
};

let host: Host;
let folder: string;

beforeAll(async () => {
  host = new Host();
  folder = mkdtempSync('/tmp/berth-seed-');
  await host.importBase('busybox');
  for (const [name, input] of Object.entries(IMAGES)) await host.ok(['build', '-q', '-t', name, '-'], { input });
});

afterAll(async () => {
  await host.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const ok = (line: string) => host.ok(line.split(' '));
const remove = (...names: string[]) => host.ok(['rm', '-f', '-v', ...names]);

describe('part 4, run', () => {
  it('publishes a port', async () => {
    await host.ok(['run', '-d', '--name', 'web', '-p', '18080:3000', 'centos/nodejs-4-centos7']);
    expect(await fetched('http://localhost:18080/')).toBe('node\n');
    const second = await host.berth(['run', '-d', '--name', 'again', '-p', '18080:3000', 'centos/nodejs-4-centos7']);
    expect(second).toMatchObject({ code: 125, stderr: expect.stringContaining('port is already allocated') });
    expect(await ok('port web')).toContain('3000/tcp -> 0.0.0.0:18080');
    await remove('web', 'again');
    await expect(fetch('http://localhost:18080/')).rejects.toThrow();
  });

  it('maps volumes of all three kinds', async () => {
    await host.ok(['run', '-d', '--name', 'sql1', '-v', `${folder}/sql/data:/var/lib/mysql`, 'mysql']);
    await ok('exec sql1 touch /var/lib/mysql/here');
    expect(existsSync(join(folder, 'sql/data/here'))).toBe(true);
    await ok('run -d --name sql2 -v /var/lib/mysql mysql');
    const [mount] = JSON.parse(await ok('inspect sql2'))[0].Mounts;
    expect(mount.Source).toMatch(/\/volumes\/[0-9a-f]{64}\/_data$/);
    expect(readFileSync(join(mount.Source, 'ibdata'), 'utf8')).toBe('new\n');
    await ok('run -d --name sql3 -v customer_mysql:/var/lib/mysql mysql');
    await ok('run -d --name sql4 -v customer_mysql:/var/lib/mysql mysql');
    await host.ok(['exec', 'sql3', 'sh', '-c', 'echo shared > /var/lib/mysql/row']);
    expect(await ok('exec sql4 cat /var/lib/mysql/row')).toBe('shared\n');
    await remove('sql1', 'sql2', 'sql3', 'sql4');
  });

  it('shows statistics of what ps -q lists', async () => {
    await ok('run -d --name one mysql');
    await ok('run -d --name two mysql');
    const ids = (await ok('ps -q')).split('\n').filter(Boolean);
    const table = await host.ok(['stats', '--no-stream', ...ids]);
    expect(table).toMatch(/^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS/);
    expect(table).toContain('one');
    expect(table).toContain('two');
    await remove('one', 'two');
  });
});

describe('part 8, networks', () => {
  it('has bridge, none and host', async () => {
    const kinds = (await ok('network ls --format {{.Name}}:{{.Driver}}')).split('\n');
    expect(kinds).toEqual(expect.arrayContaining(['bridge:bridge', 'host:host', 'none:null']));
    expect(await ok('run --rm ubuntu ip -4 addr show eth0')).toMatch(/inet 172\.\d+\.\d+\.\d+/);
    expect(await ok('run --rm --network=none ubuntu ls /sys/class/net')).toBe('lo\n');
    const own = execFileSync('ls', ['/sys/class/net'], { encoding: 'utf8' }).trim().split('\n');
    expect((await ok('run --rm --network=host ubuntu ls /sys/class/net')).trim().split('\n')).toEqual(
      expect.arrayContaining(own.filter((name) => !/^(berth|veth)/.test(name))),
    );
  });

  it('takes flags after the image name for the command, and says so', async () => {
    const result = await host.berth(['run', '--rm', 'ubuntu', '--network=none']);
    expect(result.code).toBe(127);
    expect(result.stderr).toMatch(/hint: .*before the image/);
  });

  it('makes a network of a subnet, and shows addresses', async () => {
    await ok('network create --driver bridge --subnet 10.123.0.0/24 test_network');
    expect(await ok('network ls')).toContain('test_network');
    await ok('run -d --name inside --network test_network mysql');
    expect(await ok('inspect -f {{.NetworkSettings.Networks.test_network.IPAddress}} inside')).toBe('10.123.0.2\n');
    expect(await ok('inspect -f {{.NetworkSettings.Networks.test_network.Gateway}} inside')).toBe('10.123.0.1\n');
    await remove('inside');
    await ok('network rm test_network');
  });

  it('links containers, by hosts and environment', async () => {
    await ok('run -d --name MY-REDIS-DB redis');
    const client = 'run --rm --link MY-REDIS-DB:REDIS --name MY-REDIS-CLIENT-APP redis';
    const env = await ok(`${client} env`);
    const ip = (await ok('inspect -f {{.NetworkSettings.Networks.bridge.IPAddress}} MY-REDIS-DB')).trim();
    for (const line of [
      `REDIS_PORT=tcp://${ip}:6379`,
      `REDIS_PORT_6379_TCP=tcp://${ip}:6379`,
      `REDIS_PORT_6379_TCP_ADDR=${ip}`,
      'REDIS_PORT_6379_TCP_PORT=6379',
      'REDIS_PORT_6379_TCP_PROTO=tcp',
      'REDIS_NAME=/MY-REDIS-CLIENT-APP/REDIS',
      'REDIS_ENV_REDIS_VERSION=4.0',
    ])
      expect(env.split('\n')).toContain(line);
    const id = (await ok('inspect -f {{.Config.Hostname}} MY-REDIS-DB')).trim();
    const hosts = await ok(`${client} cat /etc/hosts`);
    expect(hosts).toMatch(new RegExp(`^${ip.replaceAll('.', '\\.')}\\s+REDIS ${id} MY-REDIS-DB$`, 'm'));
    expect(await host.ok([...client.split(' '), 'sh', '-c', 'echo PING | nc MY-REDIS-DB 6379'])).toBe('+PONG\n');
    await remove('MY-REDIS-DB');
  });

  it('lets neighbours of a network find each other by name, and nobody else', async () => {
    await ok('network create BACKEND-NETWORK');
    await ok('network create FRONTEND-NETWORK');
    await ok('run -d --name=my-redis-container --net=BACKEND-NETWORK redis');
    expect(await ok('run --rm --net=BACKEND-NETWORK alpine cat /etc/resolv.conf')).toContain('nameserver 127.0.0.11\n');
    const ask = ['sh', '-c', 'echo PING | nc -w 5 my-redis-container 6379'];
    expect(await host.ok(['run', '--rm', '--net=BACKEND-NETWORK', 'alpine', ...ask])).toBe('+PONG\n');
    expect((await host.berth(['run', '--rm', '--net=FRONTEND-NETWORK', 'alpine', ...ask])).code).not.toBe(0);
    await ok('network connect FRONTEND-NETWORK my-redis-container');
    expect(await host.ok(['run', '--rm', '--net=FRONTEND-NETWORK', 'alpine', ...ask])).toBe('+PONG\n');
    await ok('run -d --name node -p 13000:3000 --net=FRONTEND-NETWORK centos/nodejs-4-centos7');
    expect(await fetched('http://localhost:13000/')).toBe('node\n');
    expect(await host.ok(['exec', 'node', ...ask])).toBe('+PONG\n');
    await ok('network disconnect FRONTEND-NETWORK my-redis-container');
    expect((await host.berth(['exec', 'node', ...ask])).code).not.toBe(0);
    await remove('node', 'my-redis-container');
    await ok('network rm BACKEND-NETWORK FRONTEND-NETWORK');
  });
});

describe('part 9, storage', () => {
  it('keeps writes to files of the image in the layer of the container', async () => {
    await ok('run --name app mysql sh -c echo>/var/lib/mysql/temp.txt');
    await host.ok(['run', '--name', 'changed', 'mysql', 'sh', '-c', 'echo changed > /var/lib/mysql/ibdata']);
    expect(await ok('run --rm mysql cat /var/lib/mysql/ibdata')).toBe('new\n');
    expect(await ok('start -a changed')).toBe('');
    await remove('app', 'changed');
    expect(await ok('run --rm mysql ls /var/lib/mysql')).toBe('ibdata\n');
  });

  it('makes a volume by hand or on first use, and its data survives rm', async () => {
    await ok('volume create data_volume');
    await ok('run -d --name db -v data_volume:/var/lib/mysql mysql');
    await host.ok(['exec', 'db', 'sh', '-c', 'echo kept > /var/lib/mysql/table']);
    await remove('db');
    expect(await ok('run --rm -v data_volume:/var/lib/mysql mysql cat /var/lib/mysql/table')).toBe('kept\n');
    await ok('run --rm -v data_volume2:/var/lib/mysql mysql true');
    expect(existsSync(join(host.root, 'layout-v1/volumes/data_volume2'))).toBe(true);
  });

  it('mounts a folder by --mount', async () => {
    writeFileSync(join(folder, 'ibdata'), 'host\n');
    const mount = `type=bind,source=${folder},target=/var/lib/mysql`;
    expect(await host.ok(['run', '--rm', '--mount', mount, 'mysql', 'cat', '/var/lib/mysql/ibdata'])).toBe('host\n');
  });
});

describe('part 12, the engine', () => {
  it('holds a container to half a processor', async () => {
    await host.ok(['run', '-d', '--name', 'busy', '--cpus=0.5', 'ubuntu', 'sh', '-c', 'while :; do :; done']);
    const used = async () => {
      const sample = JSON.parse(await oneShot('busy')).cpu_stats;
      return { cpu: sample.cpu_usage.total_usage as number, at: performance.now() };
    };
    await until(async () => (await used()).cpu > 5e8);
    const before = await used();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const after = await used();
    const share = (after.cpu - before.cpu) / 1e6 / (after.at - before.at);
    expect(share).toBeLessThanOrEqual(0.55);
    // A busy machine may give less than what is allowed.
    expect(share).toBeGreaterThan(0.1);
    await remove('busy');
  });

  it('kills what takes more than its memory', async () => {
    const script = 'x=$(head -c 20000000 /dev/zero | tr "\\\\0" a); while :; do x=$x$x; done';
    const result = await host.berth(['run', '--name', 'hungry', '--memory=100m', 'ubuntu', 'sh', '-c', script]);
    expect(result.code).toBe(137);
    expect(await ok('inspect -f {{.State.OOMKilled}}:{{.HostConfig.Memory}} hungry')).toBe('true:104857600\n');
    await remove('hungry');
  });
});

async function fetched(url: string): Promise<string> {
  let text = '';
  await until(async () => {
    const response = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined);
    text = (await response?.text()) ?? '';
    return response !== undefined;
  });
  return text;
}

async function oneShot(name: string): Promise<string> {
  return execFileSync('curl', [
    '-sS',
    '--unix-socket',
    host.socket,
    `http://berth/containers/${name}/stats?stream=0&one-shot=1`,
  ]).toString();
}
