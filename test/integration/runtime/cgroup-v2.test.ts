import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTicks } from '../../../src/linux/index.ts';
import { cgroupView } from '../../../src/runtime/cgroup/view.ts';

/** Where the machine has its unified hierarchy: alone, or beside those of version 1. */
const mountPoint = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) =>
  existsSync(`${path}/cgroup.controllers`),
);
const path = `/berth-test-${process.pid}`;
let busy: ChildProcess;

beforeAll(() => {
  if (!mountPoint) throw new Error('no cgroup2 is mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified');
  mkdirSync(`${mountPoint}${path}`);
  busy = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  writeFileSync(`${mountPoint}${path}/cgroup.procs`, `${busy.pid}`);
});
afterAll(async () => {
  const gone = once(busy, 'exit');
  busy.kill('SIGKILL');
  await gone;
  rmdirSync(`${mountPoint}${path}`);
});

/** Ticks of CPU time that the process has used. */
function used(): number {
  const stat = readFileSync(`/proc/${busy.pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

describe('a real cgroup of version 2', () => {
  it('tells CPU time, with whatever controllers it has', async () => {
    const view = cgroupView(mountPoint!, path);
    await expect.poll(() => view.usage().cpu.total, { timeout: 20_000 }).toBeGreaterThan(5e7);
    const { cpu, cgroups } = view.usage();
    expect(cgroups).toBe('2');
    expect(Math.abs(cpu.user + cpu.kernel - cpu.total)).toBeLessThan(1e7);
    expect(view.oomKills()).toBe(0);
  });

  it('freezes what is in it, and lets it go on', async () => {
    const view = cgroupView(mountPoint!, path);
    await view.freeze(true);
    const before = used();
    // A whole second of the machine's time in which a process that is not frozen would get some.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(used()).toBe(before);
    expect(startTicks(busy.pid!)).toBeDefined();
    await view.freeze(false);
    await expect.poll(used, { timeout: 20_000 }).toBeGreaterThan(before);
  });
});
