import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineProcess, Place, testId } from './engine-process.ts';

let place: Place;
const engines: EngineProcess[] = [];
const startEngine = async () => {
  const engine = await EngineProcess.start(place);
  engines.push(engine);
  return engine;
};
beforeEach(() => {
  place = new Place();
});
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
  place.remove();
});

const namespaceOf = (pid: number) => readlinkSync(`/proc/${pid}/ns/mnt`);

describe('after the engine was killed', () => {
  it('a container goes on, and a new engine reads its output, log and exit code', async () => {
    const id = testId();
    const first = await startEngine();
    const container = await first.do(async ({ start, waitForOutput }, given) => {
      const { process, streams } = await start(given, ['sh', '-c', 'echo one; read x; echo "two $x"; exit 33'], {
        openStdin: true,
      });
      await waitForOutput(streams, 'one');
      return process;
    }, id);
    await first.kill();

    const second = await startEngine();
    expect(namespaceOf(second.pid)).toBe(namespaceOf(container.supervisorPid));
    const result = await second.do(
      async ({ runtime, collect, log }, args) => {
        await runtime.recover(new Set([args.id]));
        const alive = runtime.isAlive(args.container);
        const streams = await runtime.attach(args.id, args.container);
        const output = collect(streams);
        await streams.write(Buffer.from('typed\n'));
        const { code } = await runtime.exited(args.id, args.container);
        const text = await log(args.id);
        await runtime.delete(args.id, args.container);
        return { alive, code, ...(await output), text };
      },
      { id, container },
    );
    expect(result).toEqual({
      alive: true,
      code: 33,
      stdout: 'two typed\n',
      stderr: '',
      text: 'stdout: one\nstdout: two typed\n',
    });
    expect(place.leftovers()).toEqual([]);
  });

  it('an exit that nobody saw is known to the next engine', async () => {
    const id = testId();
    const first = await startEngine();
    const container = await first.do(async ({ start, waitForOutput }, given) => {
      const { process, streams } = await start(given, ['sh', '-c', 'echo up; read x; exit 12'], { openStdin: true });
      await waitForOutput(streams, 'up');
      return process;
    }, id);
    await first.kill();
    process.kill(container.pid, 'SIGKILL');
    const second = await startEngine();
    const code = await second.do(
      async ({ runtime }, args) => {
        const { code } = await runtime.exited(args.id, args.container);
        await runtime.delete(args.id, args.container);
        return code;
      },
      { id, container },
    );
    expect(code).toBe(137);
    expect(place.leftovers()).toEqual([]);
  });

  it('build steps and forgotten containers are ended, and their mounts are gone', async () => {
    const first = await startEngine();
    const mounted = `${place.folder}/mounted`;
    mkdirSync(mounted);
    await first.do(
      async ({ runtime, start, root }, args) => {
        await start(args.id, ['sleep', '7654321']);
        const started = Promise.withResolvers<void>();
        runtime
          .run(
            {
              id: 'orphan',
              argv: ['sh', '-c', 'echo up; sleep 7654321'],
              env: [],
              cwd: '/',
              user: '',
              hostname: 'x',
              network: 'host',
              mounts: [],
              privileged: false,
              onOutput: () => started.resolve(),
              signal: new AbortController().signal,
            },
            { path: root },
          )
          .catch(() => {});
        await started.promise;
      },
      { id: testId() },
    );
    await first.kill();
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).match(/^sleep 7654321$/gm)).toHaveLength(2);

    const second = await startEngine();
    await second.do(({ runtime }) => runtime.recover(new Set()));
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toMatch(/^sleep 7654321$/m);
    expect(place.leftovers()).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(place.folder);
  });
});

describe('an engine killed at any moment', () => {
  const moments = Array.from({ length: Number(process.env['BERTH_KILLS'] ?? 8) }, () => Math.random() * 120);

  it.each(moments)('leaves nothing that the next one does not clear away: after %d ms', async (ms) => {
    const first = await startEngine();
    const ids = [testId(), testId()];
    const work = first.do(async ({ step, start, runtime }, given) => {
      for (;;) {
        await Promise.all([
          step(['sh', '-c', 'sleep 0.02']),
          start(given[0]!, ['true']),
          start(given[1]!, ['sleep', '1000']),
        ]);
        for (const id of given) await runtime.delete(id, undefined);
      }
    }, ids);
    work.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, ms));
    await first.kill();
    const second = await startEngine();
    await second.do(({ runtime }) => runtime.recover(new Set()));
    expect(place.leftovers()).toEqual([]);
    await second.close();
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
    expect(processes.filter((line) => line.includes(place.folder))).toEqual([]);
  });
});

describe("the engine's mount namespace", () => {
  it('is its own, and children, thread pool and workers are in it', async () => {
    const engine = await startEngine();
    const own = namespaceOf(engine.pid);
    expect(own).not.toBe(namespaceOf(process.pid));
    const seen = await engine.do(async () => {
      const load = (name: string) => process.getBuiltinModule(name);
      const link = '/proc/thread-self/ns/mnt';
      const { readlink } = (load('node:fs') as typeof import('node:fs')).promises;
      const { Worker } = load('node:worker_threads') as typeof import('node:worker_threads');
      const { execFileSync } = load('node:child_process') as typeof import('node:child_process');
      const worker = new Worker(
        `const fs = require('fs'); const { parentPort } = require('worker_threads');
         fs.promises.readlink('${link}').then((pool) => parentPort.postMessage([fs.readlinkSync('${link}'), pool]));`,
        { eval: true },
      );
      const fromWorker = await new Promise<string[]>((resolve) => worker.once('message', resolve));
      return [await readlink(link), execFileSync('readlink', [link], { encoding: 'utf8' }).trim(), ...fromWorker];
    });
    expect(new Set(seen)).toEqual(new Set([own]));
  });

  it('lets sockets and folders of the host be used', async () => {
    const engine = await startEngine();
    const text = await engine.do(async ({ readText }, path) => readText(path), '/etc/hostname');
    expect(text).toBe(readFileSync('/etc/hostname', 'utf8'));
  });

  it('cannot be entered once the thread pool runs', async () => {
    const index = fileURLToPath(new URL('../../../src/runtime/container/index.ts', import.meta.url));
    const script = `
      import { readFile } from 'node:fs/promises';
      import { enterEngineNamespace } from ${JSON.stringify(index)};
      await readFile('/etc/hostname');
      try { enterEngineNamespace({ runFolder: ${JSON.stringify(place.runFolder)} }); } catch (error) { console.log(error.kind, error.message); }`;
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await once(child, 'close');
    expect(said).toBe(
      'internal the engine entered its mount namespace too late: the thread pool was already running\n',
    );
  });
});
