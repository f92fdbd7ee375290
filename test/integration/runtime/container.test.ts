import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EngineProcess, Place, testId } from './engine-process.ts';

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

/** Runs a container to its end and deletes it. */
const run = (argv: string[], change: object = {}) =>
  engine.do(
    async ({ runtime, start, collect, log }, args) => {
      const { process, streams } = await start(args.id, args.argv, args.change);
      const [exit, output] = await Promise.all([runtime.exited(args.id, process), collect(streams)]);
      await runtime.delete(args.id, process);
      await runtime.delete(args.id, process);
      return { ...exit, ...output, log: await log(args.id) };
    },
    { id: testId(), argv, change },
  );
const shell = (script: string, change: object = {}) => run(['sh', '-c', script], change);

describe.each(['crun', 'runc'])('a container of %s', (runtime) => {
  it('has output for attached readers and for the log, and its exit code', async () => {
    const result = await shell('echo out; echo err >&2; printf end; exit 42', { runtime });
    expect(result).toMatchObject({ code: 42, oomKilled: false, stdout: 'out\nend', stderr: 'err\n' });
    expect(result.log.split('\n').sort()).toEqual(['stderr: err', 'stdout: end', 'stdout: out']);
    expect(Math.abs(Date.parse(result.at) - Date.now())).toBeLessThan(60_000);
  });

  it.each([
    [['nosuch'], 'not-found', 'exec: "nosuch": executable file not found in $PATH'],
    [['/etc/passwd'], 'forbidden', 'exec: "/etc/passwd": permission denied'],
  ])('that cannot be started says why, and leaves nothing: %s', async (argv, kind, message) => {
    for (const tty of [false, true]) {
      await expect(run(argv, { runtime, tty })).rejects.toMatchObject({ kind, message });
    }
  });

  it('refuses users, capabilities, mount options and runtimes that do not exist', async () => {
    await expect(run(['id'], { runtime, user: 'wbe' })).rejects.toMatchObject({
      kind: 'invalid',
      hint: 'did you mean web?',
    });
    await expect(run(['id'], { runtime, capAdd: ['NET_ADMN'] })).rejects.toMatchObject({ kind: 'invalid' });
    await expect(run(['id'], { runtime, tmpfs: [{ target: '/x', options: 'fast' }] })).rejects.toMatchObject({
      kind: 'invalid',
    });
    await expect(run(['id'], { runtime: 'rnuc' })).rejects.toMatchObject({
      kind: 'invalid',
      message: 'unknown runtime: rnuc',
    });
    await expect(run([], { runtime })).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('gives its terminal the size that is asked for', async () => {
    const output = await engine.do(
      async ({ runtime, start, collect }, args) => {
        const { process, streams } = await start(
          args.id,
          [
            'sh',
            '-c',
            'until [ "$(stty size 2>/dev/null)" = "41 123" ]; do sleep 0.02; done; read x; echo $x; tty; env | grep TERM',
          ],
          {
            runtime: args.runtime,
            tty: true,
            openStdin: true,
          },
        );
        const output = collect(streams);
        await runtime.resize(process, 41, 123);
        await streams.write(Buffer.from('go\n'));
        const { code } = await runtime.exited(args.id, process);
        await runtime.delete(args.id, process);
        return { code, ...(await output) };
      },
      { id: testId(), runtime },
    );
    expect(output).toEqual({ code: 0, stdout: 'go\r\ngo\r\n/dev/pts/0\r\nTERM=xterm\r\n', stderr: '' });
  });

  it('runs further processes, with pipes and with a terminal', async () => {
    const results = await engine.do(
      async ({ runtime, start, exec, collect }, args) => {
        const { process } = await start(args.id, ['sleep', '1000'], { runtime: args.runtime });
        const piped = await exec(
          args.id,
          process,
          ['sh', '-c', 'cat; id -un >&2; echo $A; grep CapBnd /proc/self/status; exit 9'],
          {
            env: ['A=b', 'PATH=/bin'],
            user: 'web',
            openStdin: true,
          },
        );
        const pipedOutput = collect(piped.streams);
        await piped.streams.write(Buffer.from('typed\n'));
        piped.streams.closeStdin();
        const terminal = await exec(args.id, process, ['sh', '-c', 'echo first; tty; exit 11'], { tty: true });
        const terminalOutput = collect(terminal.streams);
        const failures = [];
        for (const tty of [false, true]) {
          failures.push(await exec(args.id, process, ['nosuch'], { tty }).catch((error) => error.kind));
        }
        const result = {
          piped: [await piped.exited, await pipedOutput],
          terminal: [await terminal.exited, await terminalOutput],
          failures,
          pids: piped.pid > 0 && terminal.pid > 0,
        };
        const exited = runtime.exited(args.id, process);
        runtime.signal(process, 9);
        const { code } = await exited;
        await runtime.delete(args.id, process);
        return { ...result, code, gone: await exec(args.id, process, ['true']).catch((error) => error.kind) };
      },
      { id: testId(), runtime },
    );
    expect(results).toEqual({
      piped: [9, { stdout: 'typed\nb\nCapBnd:\t00000000a80425fb\n', stderr: 'web\n' }],
      terminal: [11, { stdout: expect.stringMatching(/^first\r\n\/dev\/pts\/\d\r\n$/), stderr: '' }],
      failures: ['not-found', 'not-found'],
      pids: true,
      code: 137,
      gone: 'conflict',
    });
  });
});

describe('the input of a container', () => {
  it('arrives whole, and ends with its client when it is for one client', async () => {
    const length = await engine.do(async ({ runtime, start, collect }, id) => {
      const { process, streams } = await start(id, ['sh', '-c', 'wc -c'], { openStdin: true, stdinOnce: true });
      const output = collect(streams);
      for (let part = 0; part < 40; part++) await streams.write(Buffer.alloc(50_000, 'x'));
      streams.closeStdin();
      await runtime.exited(id, process);
      await runtime.delete(id, process);
      return (await output).stdout.trim();
    }, testId());
    expect(length).toBe('2000000');
  });

  it('stays open for the next client otherwise', async () => {
    const output = await engine.do(async ({ runtime, start, waitForOutput, collect }, id) => {
      const { process, streams } = await start(
        id,
        ['sh', '-c', 'while read x; do echo "got $x"; [ $x = end ] && exit; done'],
        { openStdin: true },
      );
      await streams.write(Buffer.from('one\n'));
      await waitForOutput(streams, 'got one');
      streams.closeStdin();
      streams.close();
      const second = await runtime.attach(id, process);
      const rest = collect(second);
      await second.write(Buffer.from('end\n'));
      const { code } = await runtime.exited(id, process);
      await runtime.delete(id, process);
      return { code, ...(await rest) };
    }, testId());
    expect(output).toEqual({ code: 0, stdout: 'got end\n', stderr: '' });
  });

  it('is empty when it was not asked for', async () => {
    expect(await run(['cat'])).toMatchObject({ code: 0, stdout: '' });
  });
});

describe('what a container sees', () => {
  it('is its hostname, its files and its environment', async () => {
    const { stdout } = await shell(
      'hostname; cat /etc/hostname; env | sort | grep -v SHLVL; cat /etc/hosts /etc/resolv.conf',
      { env: ['X=1'], cwd: '/tmp' },
    );
    const host = readFileSync('/etc/hosts', 'utf8') + readFileSync('/etc/resolv.conf', 'utf8');
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    expect(stdout).toBe(`box\nbox\nHOME=/root\nHOSTNAME=box\n${path}\nPWD=/tmp\nX=1\n${host}`);
  });

  it('is read-only where it was asked to be', async () => {
    const source = mkdtempSync(`${place.folder}/bind-`);
    mkdirSync(`${source}/below`);
    writeFileSync(`${source}/file`, 'content');
    const { stdout } = await shell(
      'touch /x 2>/dev/null || echo root; touch /data/x 2>/dev/null || echo data; cat /data/file; echo; touch /rw/x && touch /scratch/x && touch /dev/shm/x && echo written; df -k /dev/shm | tail -1',
      {
        readonlyRoot: true,
        binds: [
          { source, target: '/data', readonly: true, options: [] },
          { source, target: '/rw/', readonly: false, options: ['z'] },
        ],
        tmpfs: [{ target: '/scratch', options: 'size=1m' }],
        shmSizeBytes: 2 * 1024 * 1024,
      },
    );
    expect(stdout).toMatch(/^root\ndata\ncontent\nwritten\nshm\s+2048\s/);
    expect(existsSync(`${source}/x`)).toBe(true);
  });

  it('has an init that reaps as process 1', async () => {
    const { stdout, code } = await run(['sh', '-c', 'cat /proc/1/comm; exit 6'], { init: true });
    expect([stdout, code]).toEqual(['docker-init\n', 6]);
  });

  it('has the capabilities that were added and dropped', async () => {
    const { stdout } = await shell('grep CapEff /proc/self/status', { capAdd: ['NET_ADMIN'], capDrop: ['all'] });
    expect(stdout).toBe('CapEff:\t0000000000001000\n');
  });

  it('is listed by ps', async () => {
    const table = await engine.do(async ({ runtime, start, waitForOutput }, id) => {
      const { process, streams } = await start(id, ['sh', '-c', 'sleep 4321 & echo up; wait']);
      await waitForOutput(streams, 'up');
      const table = await runtime.processes(process, '-o pid,args');
      await runtime.delete(id, process);
      return { ...table, pid: process.pid };
    }, testId());
    expect(table.Titles).toEqual(['PID', 'COMMAND']);
    expect(table.Processes).toHaveLength(2);
    expect(table.Processes).toContainEqual([`${table.pid}`, 'sh -c sleep 4321 & echo up; wait']);
    expect(table.Processes.map(([, args]) => args)).toContain('sleep 4321');
  });
});

describe('ending a container', () => {
  it('can signal it while it runs, and not afterwards', async () => {
    const result = await engine.do(async ({ runtime, start, waitForOutput }, id) => {
      const { process, streams } = await start(id, [
        'sh',
        '-c',
        'trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done',
      ]);
      await waitForOutput(streams, 'ready');
      const alive = runtime.isAlive(process);
      runtime.signal(process, 15);
      const { code } = await runtime.exited(id, process);
      const again = await Promise.resolve()
        .then(() => runtime.signal(process, 15))
        .catch((error) => error.kind);
      await runtime.delete(id, process);
      return [alive, code, runtime.isAlive(process), again];
    }, testId());
    expect(result).toEqual([true, 7, false, 'conflict']);
  });

  it('deletes one that was never started, or still runs', async () => {
    const alive = await engine.do(
      async ({ runtime, request, logPath, start }, [created, running]) => {
        const first = await runtime.create(request(created!, ['true']), logPath(created!));
        await runtime.delete(created!, first);
        const second = await start(running!, ['sleep', '1000']);
        await runtime.delete(running!, second.process);
        return [runtime.isAlive(first), runtime.isAlive(second.process)];
      },
      [testId(), testId()],
    );
    expect(alive).toEqual([false, false]);
  });

  it('ends it when its supervisor is killed', async () => {
    const exit = await engine.do(async ({ runtime, start }, id) => {
      const { process: container } = await start(id, ['sleep', '1000']);
      const exited = runtime.exited(id, container);
      process.kill(container.supervisorPid, 'SIGKILL');
      const { code } = await exited;
      await runtime.delete(id, container);
      return [code, runtime.isAlive(container)];
    }, testId());
    expect(exit).toEqual([137, false]);
  });

  it('can run the same id again', async () => {
    const codes = await engine.do(async ({ runtime, start }, id) => {
      const codes = [];
      for (const code of [1, 2]) {
        const { process } = await start(id, ['sh', '-c', `exit ${code}`]);
        codes.push((await runtime.exited(id, process)).code);
      }
      await runtime.delete(id, undefined);
      return codes;
    }, testId());
    expect(codes).toEqual([1, 2]);
  });
});
