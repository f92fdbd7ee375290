import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { berthProgram, Host, until } from '../support/host.ts';

/**
 * A whole engine on cgroup2, also on a machine that is divided between the versions: in a mount namespace whose
 * /sys/fs/cgroup is the unified hierarchy. What it has there of controllers is what version 1 has left. With runc: crun
 * raises a limit of locked memory for its device filter, for which not every machine has the right.
 */
const host = new Host();
const hierarchy = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) =>
  existsSync(`${path}/cgroup.controllers`),
)!;
let engine: ChildProcess;

beforeAll(async () => {
  const script = `mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec ${berthProgram} engine`;
  engine = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: 'ignore', env: { ...process.env, ...host.env } });
  await until(async () => existsSync(host.socket) && (await host.docker(['version'])).code === 0, 30_000);
  await host.importBase('busybox');
});
afterAll(async () => {
  await host.dispose();
  if (engine.exitCode === null) await once(engine, 'exit');
});

const field = async (name: string, path: string) => (await host.ok(['inspect', '-f', `{{${path}}}`, name])).trim();
const run = (flags: readonly string[], script: string) =>
  host.berth(['run', '--rm', '--runtime', 'runc', ...flags, 'busybox', 'sh', '-c', script]);
const start = (name: string, script: string) =>
  host.ok(['run', '-d', '--name', name, '--runtime', 'runc', 'busybox', 'sh', '-c', script]);

describe('an engine on cgroup2', () => {
  it('knows it, and gives each container a view that begins at its own', async () => {
    expect(await host.ok(['info', '--format', '{{.CgroupVersion}}'])).toBe('2\n');
    const script = 'grep ^0:: /proc/self/cgroup; test -e /sys/fs/cgroup/cgroup.events && echo own';
    expect((await run([], script)).stdout).toBe('0::/\nown\n');
    expect((await run(['--cgroupns=host'], script)).stdout).toMatch(/^0::\/berth\/[0-9a-f]{64}\n/);
  });

  it('drops limits whose controllers it does not have, with a warning', async () => {
    const available = readFileSync(join(hierarchy, 'cgroup.controllers'), 'utf8').split(/\s+/);
    const { code, stdout, stderr } = await run(['--pids-limit=50'], 'cat /sys/fs/cgroup/pids.max || echo none');
    expect(code).toBe(0);
    if (available.includes('pids')) expect(stdout).toBe('50\n');
    else {
      expect(stdout).toBe('none\n');
      expect(stderr).toContain('PIDs limit discarded');
    }
  });

  it('filters devices, by a program in the kernel', async () => {
    const made = 'mknod /dev/own c 10 237 && (: < /dev/own) 2>/dev/null && echo opened || echo refused';
    expect((await run([], made)).stdout).toBe('refused\n');
    // The rule is what counts; the kernel may not have the driver.
    const zero = 'rm -f /dev/full; mknod /dev/full c 1 7 && head -c 1 /dev/full | wc -c';
    expect((await run([], zero)).stdout).toBe('1\n');
  });

  it('freezes, thaws, counts and ends a container', async () => {
    await start('still', 'while :; do :; done');
    const folder = join(hierarchy, 'berth', await field('still', '.Id'));
    const read = (file: string) => readFileSync(join(folder, file), 'utf8');
    const used = () => Number(/^usage_usec (\d+)/m.exec(read('cpu.stat'))?.[1]);
    await until(() => used() > 50_000);
    await host.ok(['pause', 'still']);
    expect(read('cgroup.events')).toMatch(/^frozen 1$/m);
    const before = used();
    expect(await host.ok(['stats', '--no-stream', '--format', '{{.CPUPerc}}', 'still'])).toBe('0.00%\n');
    expect(used()).toBe(before);
    await host.ok(['unpause', 'still']);
    expect(read('cgroup.events')).toMatch(/^frozen 0$/m);
    await until(() => used() > before);
    await host.ok(['pause', 'still']);
    await host.ok(['rm', '-f', 'still']);
    expect(existsSync(folder)).toBe(false);
  });
});
