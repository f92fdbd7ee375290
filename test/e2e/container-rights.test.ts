import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host } from '../support/host.ts';

const runtimes = ['crun', 'runc'] as const;
const host = new Host();

beforeAll(() => host.importBase('busybox'));
afterAll(() => host.dispose());

const ok = (line: string) => host.ok(line.split(' '));
const remove = (...names: string[]) => host.ok(['rm', '-f', '-v', ...names]);
const build = (name: string, lines: readonly string[]) =>
  host.ok(['build', '-q', '-t', name, '-'], { input: ['FROM busybox', ...lines, ''].join('\n') });

/** Starts a container that only sleeps. */
async function sleeper(name: string, ...args: readonly string[]): Promise<void> {
  await host.ok(['run', '-d', '--name', name, ...args, 'busybox', 'sleep', '1000']);
}

/** A field of `/proc/PID/status`. */
function statusOf(text: string, field: string): string | undefined {
  return new RegExp(`^${field}:\\s*(.*?)\\s*$`, 'm').exec(text)?.[1];
}

describe.each(runtimes)('rights of processes, with %s', (runtime) => {
  it('are never inherited nor ambient, in a container and beside it (CVE-2022-24769)', async () => {
    for (const user of ['root', '1000:1000']) {
      await sleeper('rights', '--runtime', runtime, '--user', user);
      for (const args of [['1'], ['self']]) {
        const text = await host.ok(['exec', 'rights', 'cat', `/proc/${args[0]}/status`]);
        expect(statusOf(text, 'CapInh')).toBe('0000000000000000');
        expect(statusOf(text, 'CapAmb')).toBe('0000000000000000');
        expect(statusOf(text, 'CapBnd')).toBe('00000000a80425fb');
        expect(statusOf(text, 'CapEff')).toBe(user === 'root' ? '00000000a80425fb' : '0000000000000000');
        expect(statusOf(text, 'Seccomp')).toBe('2');
      }
      await remove('rights');
    }
  });

  it('come with the groups that were asked for, and with the primary one (CVE-2022-36109)', async () => {
    const groups = async (...args: string[]) =>
      (await host.ok(['run', '--rm', '--runtime', runtime, '--user', '1000:1001', ...args, 'busybox', 'id', '-G']))
        .trim()
        .split(' ')
        .sort();
    expect(await groups()).toEqual(['1001']);
    expect(await groups('--group-add', '2000', '--group-add', 'root')).toEqual(['0', '1001', '2000']);
    const text = await ok(`run --rm --runtime ${runtime} --user 1000:1001 busybox cat /proc/self/status`);
    expect(statusOf(text, 'Groups')).toBe('1001');
  });

  it('do not grow by a set-uid program when that is not wanted', async () => {
    // A static program that goes on as whom it was started; busybox gives such rights back.
    const context = mkdtempSync('/tmp/berth-raising-');
    copyFileSync(
      execFileSync('sh', ['-c', 'command -v tini-static'], { encoding: 'utf8' }).trim(),
      join(context, 'tini'),
    );
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY --chmod=4755 tini /raised\n');
    await host.ok(['build', '-q', '-t', 'raising', context]);
    rmSync(context, { recursive: true });
    for (const [security, uids] of [
      ['no-new-privileges=false', '1000 0 0 0'],
      ['no-new-privileges', '1000 1000 1000 1000'],
    ] as const) {
      const command = ['--security-opt', security, 'raising', '/raised', '--', 'sleep', '1000'];
      await host.ok(['run', '-d', '--name', 'raised', '--user', '1000', '--runtime', runtime, ...command]);
      const text = readFileSync(`/proc/${await pidOf('raised')}/status`, 'utf8');
      expect(statusOf(text, 'Uid')?.split(/\s+/).join(' ')).toBe(uids);
      expect(statusOf(text, 'NoNewPrivs')).toBe(security === 'no-new-privileges' ? '1' : '0');
      const beside = await host.ok(['exec', 'raised', '/raised', '--', 'cat', '/proc/self/status']);
      expect(statusOf(beside, 'NoNewPrivs')).toBe(statusOf(text, 'NoNewPrivs'));
      await remove('raised');
    }
  });
});

describe('hostile accounts', () => {
  it('a pipe in place of /etc/passwd is not waited for', async () => {
    await build('piped', ['RUN rm -f /etc/passwd /etc/group && mkfifo /etc/passwd /etc/group']);
    // Programs of the image may well wait for it: these do not look.
    const text = await ok('run --rm --user 7:8 piped cat /proc/self/status');
    expect(statusOf(text, 'Uid')).toBe('7\t7\t7\t7');
    const named = await host.berth(['run', '--rm', '--user', 'somebody', 'piped', 'true']);
    expect(named).toMatchObject({ code: 125, stderr: expect.stringContaining('somebody') });
  });

  it('a link in its place does not lead to the host', async () => {
    const canary = mkdtempSync('/tmp/berth-canary-');
    writeFileSync(join(canary, 'passwd'), 'hostuser:x:4242:4242::/:/bin/sh\n');
    const climbing = `../../../../../../../../..${canary}/passwd`;
    for (const target of [`${canary}/passwd`, climbing, '/proc/1/root/etc/passwd']) {
      await build('linked', [`RUN rm -f /etc/passwd && ln -s ${target} /etc/passwd`]);
      const result = await host.berth(['run', '--rm', '--user', 'hostuser', 'linked', 'id']);
      expect(result).toMatchObject({ code: 125, stdout: '' });
    }
    rmSync(canary, { recursive: true });
  });

  it('a huge file is not read whole', async () => {
    await sleeper('huge');
    await host.ok(['exec', 'huge', 'sh', '-c', 'truncate -s 8G /etc/passwd; truncate -s 8G /etc/group']);
    const peak = () =>
      Number(statusOf(readFileSync(`/proc/${host.enginePid()}/status`, 'utf8'), 'VmHWM')?.split(' ')[0]);
    const before = peak();
    expect((await host.berth(['exec', '--user', 'somebody', 'huge', 'true'])).code).not.toBe(0);
    expect(statusOf(await ok('exec --user 7:8 huge cat /proc/self/status'), 'Uid')).toBe('7\t7\t7\t7');
    expect(peak() - before).toBeLessThan(200 * 1024);
    await remove('huge');
  });
});

describe.each(runtimes)('the filter of system calls, with %s', (runtime) => {
  it('refuses sockets of the kernel crypto and of the hypervisor, in a container and beside it (CVE-2026-31431)', async () => {
    // Perl is on every Debian; the filter is the same in another root.
    const open = (family: number) =>
      `socket(S, ${family}, 5, 0) || socket(S, ${family}, 1, 0) ? print 'open' : print 'refused'`;
    const families = { AF_UNIX: 1, AF_ALG: 38, AF_VSOCK: 40 };
    await sleeper('filtered', '--runtime', runtime, '-v', '/:/host:ro');
    await sleeper('open', '--runtime', runtime, '-v', '/:/host:ro', '--security-opt', 'seccomp=unconfined');
    for (const [name, family] of Object.entries(families)) {
      const perl = ['perl', '-e', open(family)];
      const onHost = execFileSync('perl', perl.slice(1), { encoding: 'utf8' });
      const expected = name === 'AF_UNIX' ? 'open' : 'refused';
      const chroot = ['busybox', 'chroot', '/host', ...perl];
      expect(await host.ok(['exec', 'filtered', ...chroot.slice(1)])).toBe(expected);
      expect(await host.ok(['run', '--rm', '--runtime', runtime, '-v', '/:/host:ro', ...chroot])).toBe(expected);
      // What the kernel does not have shows nothing of the filter: then this is the same.
      expect(await host.ok(['exec', 'open', ...chroot.slice(1)])).toBe(onHost);
    }
    await remove('filtered', 'open');
  });
});

async function pidOf(name: string): Promise<number> {
  return Number(await host.ok(['inspect', '-f', '{{.State.Pid}}', name]));
}
