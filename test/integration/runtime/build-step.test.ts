import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EngineProcess, Place } from './engine-process.ts';

let place: Place;
let engine: EngineProcess;
beforeAll(async () => {
  place = new Place();
  engine = await EngineProcess.start(place);
});
afterAll(async () => {
  await engine.close();
  place.remove();
});
afterEach(() => {
  expect(place.leftovers()).toEqual([]);
});

const shell = (script: string, change: object = {}) =>
  engine.do(({ step }, args) => step(['sh', '-c', args.script], args.change), { script, change });

describe('a build step', () => {
  it('has its output by stream, and its exit code', async () => {
    expect(await shell('echo out; echo err >&2; exit 3')).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('is 128 plus the signal when it is killed', async () => {
    expect((await shell('sh -c "kill -TERM \\$\\$"; exit $?')).code).toBe(143);
  });

  it('has PATH and HOME, and no HOSTNAME', async () => {
    const { stdout } = await shell('env | sort; hostname', { env: ['A=b c'] });
    expect(stdout).toBe(
      'A=b c\nHOME=/root\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\nSHLVL=1\nbuildbox\n',
    );
  });

  it('runs as the user with its groups and home, in a folder that is made', async () => {
    const { stdout } = await shell('id; echo $HOME; pwd; stat -c %u:%a .', { user: 'web', cwd: '/made/up' });
    expect(stdout).toBe('uid=1000(web) gid=1000(web) groups=1000(web),2000(extra)\n/home/web\n/made/up\n0:755\n');
    rmSync(`${place.root}/made`, { recursive: true });
  });

  it('can open its own output again, also as another user', async () => {
    expect(await shell('echo a > /dev/stdout; echo b > /dev/stderr', { user: 'web' })).toEqual({
      code: 0,
      stdout: 'a\n',
      stderr: 'b\n',
    });
  });

  it('sees only its loopback on network none', async () => {
    const { stdout } = await shell('ip -o link; cat /etc/hosts; wc -c < /etc/resolv.conf', { network: 'none' });
    expect(stdout.match(/^\d+: /gm)).toEqual(['1: ']);
    expect(stdout).toContain('LOOPBACK,UP');
    expect(stdout).toMatch(/127\.0\.0\.1\s+localhost/);
    expect(stdout).toMatch(/\n0\n$/);
  });

  it('has binds and a tmpfs', async () => {
    const source = `${place.folder}/bind`;
    mkdirSync(source);
    writeFileSync(`${source}/file`, 'content');
    const mounts = [
      { type: 'bind', source, target: '/some/where', readonly: true },
      { type: 'tmpfs', target: '/cache', sizeBytes: 1024 * 1024 },
    ];
    const { stdout } = await shell(
      'cat /some/where/file; touch /some/where/x 2>/dev/null || echo " read-only"; df -k /cache | tail -1',
      { mounts },
    );
    expect(stdout).toMatch(/^content read-only\ntmpfs\s+1024\s/);
    expect(existsSync(`${place.root}/some`) || existsSync(`${place.root}/cache`)).toBe(false);
  });

  it('leaves nothing in the root that it did not write, and no changed time', async () => {
    utimesSync(`${place.root}/etc`, 1000, 1000);
    utimesSync(place.root, 1000, 1000);
    const before = readdirSync(place.root, { recursive: true });
    await shell('true');
    expect(readdirSync(place.root, { recursive: true })).toEqual(before);
    expect(statSync(`${place.root}/etc`).mtimeMs).toBe(1_000_000);
    expect(statSync(place.root).mtimeMs).toBe(1_000_000);
    await shell('echo x > /etc/new');
    expect(statSync(`${place.root}/etc`).mtimeMs).toBeGreaterThan(1_000_000);
    rmSync(`${place.root}/etc/new`);
  });

  it.each([
    [['nosuch'], 'not-found', 'exec: "nosuch": executable file not found in $PATH'],
    [['/etc/passwd'], 'forbidden', 'exec: "/etc/passwd": permission denied'],
    [['/bad'], 'forbidden', 'exec /bad: exec format error'],
  ])('that cannot start says why: %s', async (argv, kind, message) => {
    writeFileSync(`${place.root}/bad`, '\x7fELFnonsense', { mode: 0o755 });
    await expect(engine.do(({ step }, args) => step(args), argv)).rejects.toMatchObject({ kind, message });
    rmSync(`${place.root}/bad`);
  });

  it('is gone within two seconds of an abort, with all its processes', async () => {
    const took = await engine.do(async ({ runtime, root }) => {
      const abort = new AbortController();
      const started = Promise.withResolvers<void>();
      const running = runtime.run(
        {
          id: 'aborted',
          argv: ['sh', '-c', 'sleep 98765 & echo up; sleep 98765'],
          env: [],
          cwd: '/',
          user: '',
          hostname: 'x',
          network: 'host',
          mounts: [],
          privileged: false,
          onOutput: () => started.resolve(),
          signal: abort.signal,
        },
        { path: root },
      );
      await started.promise;
      const begin = performance.now();
      abort.abort();
      const error = await running.then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      return { name: error?.name, ms: performance.now() - begin };
    });
    expect(took.name).toBe('AbortError');
    expect(took.ms).toBeLessThan(2000);
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toMatch(/^sleep 98765/m);
  });
});

describe('the confinement of a build step', () => {
  it("has Docker's capabilities, none inheritable or ambient, and a filter", async () => {
    const { stdout } = await shell('grep -E "^(Cap|Seccomp:)" /proc/self/status');
    expect(
      Object.fromEntries(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(/:\s+/)),
      ),
    ).toEqual({
      CapInh: '0000000000000000',
      CapPrm: '00000000a80425fb',
      CapEff: '00000000a80425fb',
      CapBnd: '00000000a80425fb',
      CapAmb: '0000000000000000',
      Seccomp: '2',
    });
  });

  it('refuses mounts, namespaces and kernel logs, and allows chroot and device nodes', async () => {
    const { stdout } = await shell(
      'mount -t tmpfs x /tmp 2>&1; unshare -U true 2>&1; unshare -m true 2>&1; dmesg 2>&1; chroot / echo chroot; mknod /tmp/n c 1 3 && rm /tmp/n && echo mknod',
    );
    expect(stdout.match(/not permitted|permission denied/g)).toHaveLength(4);
    expect(stdout).toMatch(/chroot\nmknod\n$/);
  });

  it('answers unknown calls with ENOSYS, AF_ALG with "no such family", and clone with namespaces with EPERM', async () => {
    const mounts = ['/usr', '/lib', '/lib64']
      .filter(existsSync)
      .map((path) => ({ type: 'bind', source: path, target: path, readonly: true }));
    const script = [
      ['38, 5, 0', 41],
      ['2, 1, 0', 41],
    ].map(([args, number]) => `print syscall(${number}, ${args}) < 0 ? "errno ".($!+0) : "ok", "\\n";`);
    const calls =
      'print syscall(435, 0, 0) < 0 ? "errno ".($!+0) : "ok", "\\n"; print syscall(56, 0x10000000, 0, 0, 0, 0) < 0 ? "errno ".($!+0) : "ok", "\\n"; print syscall(999) < 0 ? "errno ".($!+0) : "ok", "\\n";';
    const result = await engine.do(
      ({ step }, args) => step(['/usr/bin/perl', '-e', args.code], { mounts: args.mounts as never }),
      {
        code: script.join('') + calls,
        mounts,
      },
    );
    expect(result).toEqual({ code: 0, stdout: 'errno 97\nok\nerrno 38\nerrno 1\nerrno 38\n', stderr: '' });
  });

  it('masks kernel files and keeps others read-only', async () => {
    const { stdout } = await shell(
      'wc -c < /proc/keys; ls /sys/firmware | wc -l; echo 1 > /proc/sysrq-trigger; echo x > /sys/kernel/mm/ksm/run; ls /dev',
    );
    expect(stdout).toMatch(/^0\n0\n/);
    expect(stdout).not.toMatch(/vda|sda|kmsg/);
  });

  it('opens everything when privileged', async () => {
    const { stdout } = await shell(
      'mkdir -p /tmp/m; mount -t tmpfs x /tmp/m && echo mounted; ls /dev/kmsg; grep Seccomp: /proc/self/status',
      { privileged: true },
    );
    expect(stdout).toMatch(/^mounted\n\/dev\/kmsg\nSeccomp:\t0\n$/);
    rmSync(`${place.root}/tmp/m`, { recursive: true });
  });

  it('reads accounts from regular files inside the root only', async () => {
    const passwd = `${place.root}/etc/passwd`;
    const restore = execFileSync('cat', [passwd]);
    rmSync(passwd);
    execFileSync('mkfifo', [passwd]);
    await expect(shell('id -u', { user: 'web' })).rejects.toMatchObject({ kind: 'invalid' });
    rmSync(passwd);
    symlinkSync('/proc/self/environ', passwd);
    await expect(shell('id -u', { user: 'web' })).rejects.toMatchObject({ kind: 'invalid' });
    rmSync(passwd);
    writeFileSync(`${place.folder}/outside`, 'web:x:0:0::/:/bin/sh\n');
    symlinkSync(`${place.folder}/outside`, passwd);
    await expect(shell('id -u', { user: 'web' })).rejects.toMatchObject({ kind: 'invalid' });
    rmSync(passwd);
    writeFileSync(passwd, restore);
    expect((await shell('id -u', { user: 'web' })).stdout).toBe('1000\n');
  });
});
