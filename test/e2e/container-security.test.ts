import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Host, until } from '../support/host.ts';

const CANARY = 'canary-of-the-host';
const runtimes = ['crun', 'runc'] as const;
const host = new Host();
/** A folder of the host that no container may see or change. */
let canary: string;

beforeAll(() => host.importBase('busybox'));
afterAll(() => host.dispose());
beforeEach(() => {
  canary = mkdtempSync('/tmp/berth-canary-');
  writeFileSync(join(canary, 'secret'), CANARY);
  return () => rmSync(canary, { recursive: true, force: true });
});

const ok = (line: string) => host.ok(line.split(' '));
const shell = (args: readonly string[], script: string) =>
  host.berth(['run', '--rm', ...args, 'busybox', 'sh', '-c', script]);
const remove = (...names: string[]) => host.ok(['rm', '-f', '-v', ...names]);
const build = (name: string, lines: readonly string[]) =>
  host.ok(['build', '-q', '-t', name, '-'], { input: ['FROM busybox', ...lines, ''].join('\n') });

/** Starts a container that only sleeps. @returns the process as the host sees it */
async function sleeper(name: string, ...args: readonly string[]): Promise<number> {
  await host.ok(['run', '-d', '--name', name, ...args, 'busybox', 'sleep', '1000']);
  return Number(await host.ok(['inspect', '-f', '{{.State.Pid}}', name]));
}

function expectUntouched(): void {
  expect(readdirSync(canary)).toEqual(['secret']);
  expect(readFileSync(join(canary, 'secret'), 'utf8')).toBe(CANARY);
}

const descriptorsOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).map(Number).sort();

describe.each(runtimes)('descriptors of the engine, with %s (CVE-2024-21626)', (runtime) => {
  it('are not open in a container, nor in a command run beside it', async () => {
    for (const flags of [[], ['-t'], ['-i'], ['--init']]) {
      const pid = await sleeper('bare', '--runtime', runtime, ...flags);
      expect(descriptorsOf(pid)).toEqual([0, 1, 2]);
      for (const terminal of [[], ['-t'], ['-i']]) await host.ok(['exec', '-d', ...terminal, 'bare', 'sleep', '999']);
      const others = () => processesOf(pid).filter((other) => commandOf(other).includes('999'));
      await until(() => others().length === 3);
      for (const other of others()) expect(descriptorsOf(other)).toEqual([0, 1, 2]);
      await remove('bare');
    }
  });

  it('are no way out as the working folder', async () => {
    const show = `cat ../../../../../../../../../..${canary}/secret`;
    await sleeper('guard', '--runtime', runtime);
    for (let fd = 3; fd < 14; fd++) {
      const cwd = `/proc/self/fd/${fd}`;
      const started = await shell(['--runtime', runtime, '-w', cwd], show);
      const beside = await host.berth(['exec', '-w', cwd, 'guard', 'sh', '-c', show]);
      for (const { code, stdout, stderr } of [started, beside]) {
        expect(`${stdout}${stderr}`).not.toContain(CANARY);
        expect(code).not.toBe(0);
      }
    }
    await remove('guard');
    await build('leaking', ['WORKDIR /proc/self/fd/8', `CMD ${show}`]).catch(() => undefined);
    const { stdout } = await host.berth(['run', '--rm', '--runtime', runtime, 'leaking']);
    expect(stdout).not.toContain(CANARY);
  });
});

describe.each(runtimes)('the program of %s (CVE-2019-5736)', (runtime) => {
  it('cannot be reached by those whom it starts', async () => {
    const program = execFileSync('sh', ['-c', `command -v ${runtime}`], { encoding: 'utf8' }).trim();
    const before = hashOf(program);
    await build('itself', ['ENTRYPOINT ["/proc/self/exe", "--version"]']);
    await host.berth(['run', '--rm', '--runtime', runtime, 'itself']);
    // Holds whatever runs beside it open, and writes once that is no longer busy.
    const attack =
      'printf "#!/proc/self/exe\\n" > /bin/poisoned; chmod +x /bin/poisoned; touch /ready; while :; do for p in /proc/[0-9]*; do ' +
      'case $(readlink $p/exe) in /bin/busybox|"") continue;; esac; ' +
      '(exec 9< $p/exe && for i in 1 2 3 4 5 6 7 8 9; do echo overwritten > /proc/self/fd/9 && echo done > /broken; done) 2> /dev/null; ' +
      'done; done';
    await host.ok(['run', '-d', '--name', 'attacker', '--runtime', runtime, 'busybox', 'sh', '-c', attack]);
    await until(async () => (await host.berth(['exec', 'attacker', 'test', '-e', '/ready'])).code === 0);
    for (let i = 0; i < 8; i++) {
      await host.berth(['exec', 'attacker', '/bin/poisoned']);
      await host.berth(['exec', 'attacker', '/proc/self/exe']);
    }
    expect((await host.berth(['exec', 'attacker', 'test', '-e', '/broken'])).code).not.toBe(0);
    await remove('attacker');
    expect(hashOf(program)).toBe(before);
    expect((await shell(['--runtime', runtime], 'echo fine')).stdout).toBe('fine\n');
  });
});

describe.each(runtimes)('masked files, with %s (CVE-2025-31133)', (runtime) => {
  it("are covered by the runtime's own null device, whatever the image has in its place", async () => {
    const context = mkdtempSync('/tmp/berth-hostile-');
    mkdirSync(join(context, 'dev'));
    for (const name of ['null', 'console', 'zero', 'pts'])
      symlinkSync('/proc/sysrq-trigger', join(context, 'dev', name));
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY dev /dev\n');
    await host.ok(['build', '-q', '-t', 'nulls', context]);
    rmSync(context, { recursive: true });
    const script =
      'stat -c "%F %t:%T" /dev/null; cat /proc/kcore /proc/keys /proc/timer_list 2>/dev/null | wc -c; ' +
      'ls /proc/acpi /sys/firmware 2>/dev/null | grep -v : | tr -d "\\n" | wc -c; ' +
      'for file in sysrq-trigger sys/kernel/core_pattern sys/vm/drop_caches irq/default_smp_affinity; do ' +
      'if [ -e /proc/$file ] && (echo x > /proc/$file) 2>/dev/null; then echo wrote $file; fi; done; ' +
      'mount -o remount,rw /proc/sys 2>/dev/null && echo remounted; umount /proc/kcore 2>/dev/null && echo unmasked; true';
    for (const terminal of [[], ['-t']]) {
      const { stdout } = await host.berth([
        ...['run', '--rm', '--runtime', runtime, ...terminal],
        ...['nulls', 'sh', '-c', script],
      ]);
      expect(stdout.replaceAll('\r', '')).toBe('character special file 1:3\n0\n0\n');
    }
  });
});

describe.each(runtimes)('a mount on a link of the image, with %s (CVE-2021-30465)', (runtime) => {
  it('lands inside the root, and nothing of the host is copied into a volume', async () => {
    await build('links', [
      'RUN mkdir /own && echo own > /own/file && ln -s /own /inside',
      `RUN ln -s ${canary} /absolute && ln -s ../../../../../../../../../..${canary} /climbing`,
      'RUN ln -s ../../../../../../etc /etc-above && ln -s /proc/self/root /root-of-proc',
    ]);
    const source = mkdtempSync('/tmp/berth-source-');
    writeFileSync(join(source, 'mounted'), 'mounted');
    for (const link of ['inside', 'absolute', 'climbing', 'etc-above/new', 'root-of-proc/own']) {
      for (const mount of [`${source}:/${link}`, `of-${link.replace('/', '-')}:/${link}`]) {
        const script = `cat /${link}/* /${link}/secret; echo over > /${link}/over; cat /proc/self/mountinfo`;
        const command = ['--runtime', runtime, '-v', mount, 'links', 'sh', '-c', script];
        const { stdout, stderr } = await host.berth(['run', '--rm', ...command]);
        expect(`${stdout}${stderr}`).not.toContain(CANARY);
        expectUntouched();
      }
    }
    const inside = ['run', '--rm', '--runtime', runtime, '-v', `${source}:/inside`, 'links', 'cat', '/own/mounted'];
    expect(await host.ok(inside)).toBe('mounted');
    rmSync(source, { recursive: true });
  });

  it('stays inside while the link is swapped', async () => {
    const swap = `while :; do mkdir /v/target; rm -rf /v/target; ln -s ${canary} /v/target; rm -f /v/target; done`;
    await host.ok([
      'run',
      '-d',
      '--name',
      'swapper',
      '-v',
      'swapped:/v',
      'busybox',
      'sh',
      '-c',
      `(${swap}) 2>/dev/null`,
    ]);
    for (let i = 0; i < 15; i++) {
      const mounts = ['-v', 'swapped:/v', '-v', 'innocent:/v/target', '--tmpfs', '/v/target/deeper'];
      const { stdout, stderr } = await shell(
        ['--runtime', runtime, ...mounts],
        'cat /v/target/secret; echo over > /v/target/secret; true',
      );
      expect(`${stdout}${stderr}`).not.toContain(CANARY);
      expectUntouched();
    }
    await remove('swapper');
    await ok('volume rm swapped innocent');
  });
});

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Processes in the namespace of a container's. */
function processesOf(pid: number): readonly number[] {
  const space = namespaceOf(pid);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => namespaceOf(other) === space);
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
