import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host, until } from '../support/host.ts';

const MIB = 1024 ** 2;
let host: Host;

beforeAll(async () => {
  host = new Host();
  await host.importBase('busybox');
});
afterAll(() => host.dispose());

const ok = (line: string) => host.ok(line.split(' '));
const field = async (name: string, path: string) => (await host.ok(['inspect', '-f', `{{${path}}}`, name])).trim();

async function start(name: string, args: readonly string[], script = 'sleep 1000'): Promise<void> {
  await host.ok(['run', '-d', '--name', name, ...args, 'busybox', 'sh', '-c', script]);
}

/** A cgroup file of a container, on a host of version 1 or 2. */
async function kernel(name: string, v1: string, v2: string): Promise<string> {
  const place = `berth/${await field(name, '.Id')}`;
  const [controller, file] = v1.split('/');
  const old = `/sys/fs/cgroup/${controller}/${place}/${file}`;
  return readFileSync(existsSync(old) ? old : `/sys/fs/cgroup/${place}/${v2}`, 'utf8').trim();
}

interface Sample {
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
  readonly memory_stats: { readonly usage: number; readonly limit: number };
  readonly pids_stats: { readonly current: number; readonly limit?: number };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
}

async function sample(name: string): Promise<Sample> {
  const path = `/containers/${name}/stats?stream=0&one-shot=1`;
  const chunks: Buffer[] = [];
  const asked = get({ socketPath: host.socket, path });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as Sample;
}

describe.each(['crun', 'runc'])('with %s', (runtime) => {
  it('a paused container stands still, and ends when it is told to', async () => {
    await start('still', ['--runtime', runtime, '--stop-timeout', '1'], 'trap "exit 3" TERM; while :; do :; done');
    const used = async () => (await sample('still')).cpu_stats.cpu_usage.total_usage;
    expect(await ok('pause still')).toBe('still\n');
    expect(await ok('ps --format {{.Status}}')).toContain('(Paused)');
    expect(await host.berth(['exec', 'still', 'true'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is paused, unpause the container before exec'),
    });
    const before = await used();
    const [again] = (await ok('stats --no-stream --format {{.CPUPerc}} still')).split('\n');
    expect(again).toBe('0.00%');
    expect(await used()).toBe(before);
    expect((await host.berth(['rm', 'still'])).stderr).toContain('container is paused');
    await ok('unpause still');
    await until(async () => (await used()) > before);
    await ok('pause still');
    await ok('stop -t 20 still');
    expect(await field('still', '.State.ExitCode')).toBe('3');
    await ok('start still');
    await ok('pause still');
    await ok('rm -f still');
  });

  it('limits change while it runs, and for the next start', async () => {
    await start('one', ['--runtime', runtime, '--memory', '64m', '--pids-limit', '40']);
    await start('two', ['--runtime', runtime]);
    expect(await ok('update --memory 200m --memory-swap 400m --cpus 0.5 --cpu-shares 300 one two')).toBe('one\ntwo\n');
    const check = async () => {
      for (const name of ['one', 'two']) {
        expect(await kernel(name, 'memory/memory.limit_in_bytes', 'memory.max')).toBe(String(200 * MIB));
        expect(await kernel(name, 'cpu/cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000( 100000)?$/);
        expect((await sample(name)).memory_stats.limit).toBe(200 * MIB);
      }
      expect(await kernel('one', 'pids/pids.max', 'pids.max')).toBe('40');
    };
    await check();
    await ok('restart -t 0 one two');
    await check();
    await ok('update --pids-limit -1 one');
    expect(await kernel('one', 'pids/pids.max', 'pids.max')).toBe('max');
    await ok('rm -f one two');
  });
});

it('survives the engine: a paused container can be let go on, its limits changed', async () => {
  await start('lasting', ['--memory', '64m']);
  await ok('pause lasting');
  process.kill(host.enginePid()!, 'SIGKILL');
  expect(await ok('ps --format {{.Names}}:{{.Status}}')).toMatch(/^lasting:Up .* \(Paused\)$/m);
  await ok('unpause lasting');
  expect(await ok('exec lasting echo here')).toBe('here\n');
  await ok('update --memory 80m lasting');
  expect(await kernel('lasting', 'memory/memory.limit_in_bytes', 'memory.max')).toBe(String(80 * MIB));
  await ok('rm -f lasting');
});

describe('figures', () => {
  it('are those of the kernel', async () => {
    await start('web', ['--memory', '256m', '--pids-limit', '30'], 'sleep 1000 & sleep 1000 & wait');
    await until(async () => (await sample('web')).pids_stats.current === 3);
    const before = Number(
      await kernel('web', 'cpuacct/cpuacct.usage', 'cpu.stat').then((text) => /\d+/.exec(text)?.[0]),
    );
    const told = await sample('web');
    expect(told.pids_stats).toEqual({ current: 3, limit: 30 });
    expect(told.memory_stats.limit).toBe(256 * MIB);
    const usage = Number(await kernel('web', 'memory/memory.usage_in_bytes', 'memory.current'));
    expect(Math.abs(told.memory_stats.usage - usage)).toBeLessThan(4 * MIB);
    expect(told.cpu_stats.cpu_usage.total_usage).toBeGreaterThanOrEqual(before);
    await ok('rm -f web');
  });

  it('count the traffic of the container', async () => {
    await start('server', [], 'echo start; exec httpd -f -p 80 -h /bin');
    const address = await field('server', '.NetworkSettings.Networks.bridge.IPAddress');
    await until(
      async () => (await host.berth(['exec', 'server', 'wget', '-qO/dev/null', 'http://127.0.0.1/busybox'])).code === 0,
    );
    const before = (await sample('server')).networks?.['eth0']?.tx_bytes ?? Number.NaN;
    const bytes = (await (await fetch(`http://${address}/busybox`)).arrayBuffer()).byteLength;
    await until(async () => ((await sample('server')).networks?.['eth0']?.tx_bytes ?? 0) - before >= bytes);
    expect(await ok('stats --no-stream --format {{.NetIO}} server')).toMatch(/MB\n$/);
    await ok('rm -f server');
  });

  it('are shown by the docker CLI, too', async () => {
    await start('shown', ['--memory', '100m']);
    const docker = await host.docker(['stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}']);
    expect(docker).toMatchObject({ code: 0, stdout: expect.stringMatching(/^shown \d+.* \/ 100MiB 1\n$/) });
    await ok('rm -f shown');
  });

  it('go on while they are watched, and leave out what has ended', async () => {
    await start('first', []);
    await start('second', []);
    const watching = host.start(['stats', 'first', 'second']);
    let text = '';
    watching.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const tables = () => text.split(/^CONTAINER ID.*\n/m).slice(1);
    await until(() => tables().length > 2, 30_000);
    await ok('rm -f first');
    await until(() => /first +-- +-- \/ --/.test(tables().at(-1) ?? ''), 30_000);
    expect(tables().at(-1)).toMatch(/second +\d+\.\d\d%/);
    const ended = new Promise((resolve) => watching.once('exit', resolve));
    await ok('rm -f second');
    expect(await ended).toBe(0);
    expect(await host.berth(['stats', '--no-stream', 'first'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No such container: first'),
    });
  });
});

it('takes the parent of all cgroups away when nothing is in it', async () => {
  const parents = () =>
    ['.', ...readdirSync('/sys/fs/cgroup')]
      .map((name) => `/sys/fs/cgroup/${name}/berth`)
      .filter((path) => existsSync(path));
  await ok('run --rm busybox true');
  // Others on this machine may have containers of their own: theirs stay.
  const inUse = (path: string) => readdirSync(path, { withFileTypes: true }).some((entry) => entry.isDirectory());
  await until(() => parents().every(inUse), 30_000);
});
