import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host, until } from '../support/host.ts';

const cgroups = '/sys/fs/cgroup';
const isV2 = existsSync(join(cgroups, 'cgroup.controllers'));
const MIB = 1024 ** 2;
const host = new Host();

beforeAll(() => host.importBase('busybox'));
afterAll(() => host.dispose());

/** A whole disk of this machine: only such a one has a queue that can be slowed down. */
const disk = readdirSync('/sys/block').find((name) => !/^(zram|ram|fd|sr)/.test(name) && existsSync(`/dev/${name}`))!;
const diskNumber = readFileSync(`/sys/block/${disk}/dev`, 'utf8').trim();
/** A device that no container has unless it is given. */
const device = ['/dev/loop-control', '/dev/fuse', '/dev/net/tun', '/dev/kmsg'].find((path) => existsSync(path))!;
const deviceNumber = execFileSync('stat', ['-c', '%Hr:%Lr', device], { encoding: 'utf8' }).trim();

const run = (runtime: string, flags: readonly string[], ...command: string[]) =>
  host.berth(['run', '--rm', '--runtime', runtime, ...flags, 'busybox', ...command]);
const inShell = async (runtime: string, flags: readonly string[], script: string) => {
  const { stdout, stderr, code } = await run(runtime, flags, 'sh', '-c', script);
  return code === 0 ? stdout.trim() : `exit ${code}: ${stderr}`;
};
const remove = (...names: string[]) => host.ok(['rm', '-f', ...names]);
const namespaceOf = (type: string) => readlinkSync(`/proc/self/ns/${type}`);

/** Flags, and what the kernel then says in the container's folder of each version's hierarchy. */
const KERNEL: readonly [
  flags: string,
  v1: Readonly<Record<string, string | number>>,
  v2: Readonly<Record<string, string | number>>,
][] = [
  [
    '--memory=64m',
    { 'memory/memory.limit_in_bytes': 64 * MIB, 'memory/memory.memsw.limit_in_bytes': 128 * MIB },
    { 'memory.max': 64 * MIB, 'memory.swap.max': 64 * MIB },
  ],
  [
    '--memory=64m --memory-swap=96m --memory-reservation=32m',
    { 'memory/memory.memsw.limit_in_bytes': 96 * MIB, 'memory/memory.soft_limit_in_bytes': 32 * MIB },
    { 'memory.swap.max': 32 * MIB, 'memory.low': 32 * MIB },
  ],
  ['--cpus=0.5', { 'cpu/cpu.cfs_quota_us': 50_000, 'cpu/cpu.cfs_period_us': 100_000 }, { 'cpu.max': '50000 100000' }],
  [
    '--cpu-quota=20000 --cpu-period=50000',
    { 'cpu/cpu.cfs_quota_us': 20_000, 'cpu/cpu.cfs_period_us': 50_000 },
    { 'cpu.max': '20000 50000' },
  ],
  ['--cpu-shares=512', { 'cpu/cpu.shares': 512 }, { 'cpu.weight': 20 }],
  ['--cpuset-cpus=0 --cpuset-mems=0', { 'cpuset/cpuset.cpus': 0, 'cpuset/cpuset.mems': 0 }, { 'cpuset.cpus': 0 }],
  ['--pids-limit=20', { 'pids/pids.max': 20 }, { 'pids.max': 20 }],
  [
    `--device-read-bps=/dev/${disk}:1mb --device-write-iops=/dev/${disk}:50`,
    {
      'blkio/blkio.throttle.read_bps_device': `${diskNumber} ${MIB}`,
      'blkio/blkio.throttle.write_iops_device': `${diskNumber} 50`,
    },
    { 'io.max': `${diskNumber} rbps=${MIB} wbps=max riops=max wiops=50` },
  ],
];

/** Flags, a command, and what it says. */
const INSIDE: readonly [flags: string, script: string, expected: string][] = [
  ['--ulimit nofile=99:100', 'ulimit -Sn; ulimit -Hn', '99\n100'],
  [
    '--ulimit core=0 --ulimit nproc=77',
    "awk '/core|processes/ { print $(NF-2), $(NF-1) }' /proc/self/limits",
    '0 0\n77 77',
  ],
  ['--ulimit core=0:-1', "awk '/core/ { print $(NF-2), $(NF-1) }' /proc/self/limits", '0 unlimited'],
  ['--shm-size=32m', "df -k /dev/shm | tail -1 | awk '{print $2}'", '32768'],
  ['--oom-score-adj=500', 'cat /proc/self/oom_score_adj', '500'],
  ['--sysctl kernel.msgmax=4096', 'cat /proc/sys/kernel/msgmax', '4096'],
  ['--sysctl net.ipv4.ip_default_ttl=11', 'cat /proc/sys/net/ipv4/ip_default_ttl', '11'],
  ['--read-only', 'touch /new 2>/dev/null || echo refused; touch /dev/shm/new && echo written', 'refused\nwritten'],
  ['--read-only --tmpfs /run', 'touch /run/new && echo written', 'written'],
  ['--ipc=host', 'readlink /proc/self/ns/ipc', namespaceOf('ipc')],
  ['--pid=host', 'readlink /proc/self/ns/pid', namespaceOf('pid')],
  ['--uts=host', 'readlink /proc/self/ns/uts', namespaceOf('uts')],
  ['--cgroupns=host', 'readlink /proc/self/ns/cgroup', namespaceOf('cgroup')],
  ['--cgroupns=private', `[ $(readlink /proc/self/ns/cgroup) = ${namespaceOf('cgroup')} ] || echo own`, 'own'],
  ['--ipc=none', '[ -e /dev/shm ] || echo none', 'none'],
  ['--cap-drop=ALL', 'grep CapEff /proc/self/status', 'CapEff:\t0000000000000000'],
  ['--cap-drop=ALL --cap-add=NET_ADMIN', 'grep CapEff /proc/self/status', 'CapEff:\t0000000000001000'],
  ['--security-opt seccomp=unconfined', 'grep Seccomp: /proc/self/status', 'Seccomp:\t0'],
  [
    '--privileged',
    'grep Seccomp: /proc/self/status; mkdir /m; mount -t tmpfs none /m && echo mounted',
    'Seccomp:\t0\nmounted',
  ],
  ['--user 5:6', 'grep -E "^[UG]id" /proc/self/status', 'Uid:\t5\t5\t5\t5\nGid:\t6\t6\t6\t6'],
  ['--init', 'echo $$ > /dev/null; cat /proc/1/comm', 'docker-init'],
  [`--device ${device}:/dev/given:r`, '(: < /dev/given) && echo read', 'read'],
  [`--device ${device}:/dev/given:r`, '(: >> /dev/given) 2>/dev/null || echo refused', 'refused'],
  [
    '--cap-add MKNOD',
    `mknod /dev/own c ${deviceNumber.replace(':', ' ')} && (: < /dev/own) 2>/dev/null || echo refused`,
    'refused',
  ],
  [
    `--device-cgroup-rule=c_${deviceNumber}_r`,
    `mknod /dev/own c ${deviceNumber.replace(':', ' ')} && (: < /dev/own) && echo read`,
    'read',
  ],
];

describe.each(['crun', 'runc'])('with %s', (runtime) => {
  it.each(KERNEL)('%s is what the kernel keeps to', async (flags, v1, v2) => {
    const expected = isV2 ? v2 : v1;
    const files = Object.keys(expected);
    await host.ok([
      'run',
      '-d',
      '--name',
      'limited',
      '--runtime',
      runtime,
      ...flags.split(' '),
      'busybox',
      'sleep',
      '999',
    ]);
    const id = (await host.ok(['inspect', '-f', '{{.Id}}', 'limited'])).trim();
    const outside = files.map((file) => readFileSync(folderOf(file, id), 'utf8').trim());
    const inside = await host.ok(['exec', 'limited', 'cat', ...files.map((file) => join(cgroups, file))]);
    await remove('limited');
    expect(outside).toEqual(Object.values(expected).map(String));
    expect(inside.trim().split('\n')).toEqual(Object.values(expected).map(String));
    expect(hierarchies().filter((folder) => existsSync(join(folder, 'berth', id)))).toEqual([]);
  });

  it.each(INSIDE)('%s: %s', async (flags, script, expected) => {
    // A rule has spaces in it.
    const words = flags.split(' ').map((word) => (word.includes('cgroup-rule') ? word.replaceAll('_', ' ') : word));
    expect(await inShell(runtime, words, script)).toBe(expected);
  });

  it('--cpus=0.5 gives no more than half a processor', async () => {
    const busy = ['busybox', 'sh', '-c', 'while :; do :; done'];
    await host.ok(['run', '-d', '--name', 'busy', '--runtime', runtime, '--cpus=0.5', ...busy]);
    const id = (await host.ok(['inspect', '-f', '{{.Id}}', 'busy'])).trim();
    const used = () => ({ cpuMs: cpuMsOf(id), at: performance.now() });
    await until(() => used().cpuMs > 300);
    const before = used();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const after = used();
    await remove('busy');
    const share = (after.cpuMs - before.cpuMs) / (after.at - before.at);
    expect(share).toBeLessThanOrEqual(0.55);
    // A busy machine may give less than what is allowed.
    expect(share).toBeGreaterThan(0.05);
  });

  it('--memory kills what takes more, and says so', async () => {
    const since = String(Math.floor(Date.now() / 1000));
    const script = 'x=$(head -c 8000000 /dev/zero | tr "\\\\0" a); while :; do x=$x$x; done';
    const flags = ['--name', 'hungry', '--runtime', runtime, '--memory=32m', '--memory-swap=32m'];
    const { code } = await host.berth(['run', ...flags, 'busybox', 'sh', '-c', script]);
    expect(code).toBe(137);
    expect(await host.ok(['inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'hungry'])).toBe('true 137\n');
    await remove('hungry');
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const query = `since=${since}&until=${until}&filters={"container":{"hungry":true}}`;
    expect(eventActions(query)).toEqual(['create', 'attach', 'start', 'oom', 'die', 'destroy']);
  });

  it('--pids-limit ends a fork bomb', async () => {
    const bomb = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 60 & done';
    const { code, stderr } = await run(runtime, ['--pids-limit=8'], 'sh', '-c', bomb);
    expect(code).not.toBe(0);
    expect(stderr).toContain("can't fork");
  });

  it('containers share what they are told to', async () => {
    const flags = ['--runtime', runtime, '--ipc=shareable', '--hostname', 'owner'];
    await host.ok([
      'run',
      '-d',
      '--name',
      'owner',
      ...flags,
      'busybox',
      'sh',
      '-c',
      'echo shared > /dev/shm/file; sleep 999',
    ]);
    await until(async () => (await host.berth(['exec', 'owner', 'test', '-s', '/dev/shm/file'])).code === 0);
    const spaces = 'readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc';
    const own = await host.ok(['exec', 'owner', 'sh', '-c', spaces]);
    const joined = ['--ipc=container:owner', '--pid=container:owner'];
    const seen = await inShell(runtime, joined, `cat /dev/shm/file; ${spaces}; tr '\\0' ' ' < /proc/1/cmdline`);
    await remove('owner');
    expect(seen.startsWith(`shared\n${own}`)).toBe(true);
    expect(seen).toContain('sleep 999');
  });
});

/** The file of a container on the host. */
function folderOf(file: string, id: string): string {
  const [controller, name] = isV2 ? ['', file] : file.split('/');
  return join(cgroups, controller!, 'berth', id, name!);
}

function hierarchies(): readonly string[] {
  return isV2 ? [cgroups] : readdirSync(cgroups).map((name) => join(cgroups, name));
}

function cpuMsOf(id: string): number {
  if (!isV2) return Number(readFileSync(folderOf('cpuacct/cpuacct.usage', id), 'utf8')) / 1e6;
  return Number(/^usage_usec (\d+)/m.exec(readFileSync(folderOf('cpu.stat', id), 'utf8'))?.[1]) / 1000;
}

function eventActions(query: string): readonly string[] {
  const text = execFileSync('curl', ['-sSg', '--unix-socket', host.socket, `http://berth/events?${query}`], {
    encoding: 'utf8',
  });
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).Action as string);
}
