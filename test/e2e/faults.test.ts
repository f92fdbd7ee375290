import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Host, until } from '../support/host.ts';
import { leftovers, processesWith } from '../support/leftovers.ts';

const ended = (child: { once(event: 'close', listener: (code: number | null) => void): unknown }) =>
  new Promise<number | null>((resolve) => child.once('close', resolve));

function contextOf(dockerfile: string): string {
  const folder = mkdtempSync('/tmp/berth-fault-');
  writeFileSync(join(folder, 'Dockerfile'), dockerfile);
  writeFileSync(join(folder, 'data'), 'x'.repeat(100_000));
  return folder;
}

describe('interruption', () => {
  const host = new Host();
  beforeAll(() => host.importBase('busybox'));
  afterAll(() => host.dispose());

  it('Ctrl-C during a RUN: containers and mounts are gone within 2 s', async () => {
    const marker = 'ctrl-c-31415';
    const context = contextOf(`FROM busybox\nRUN sh -c "while :; do sleep 0.1; done" ${marker}\n`);
    const build = host.start(['build', '--progress', 'plain', context]);
    await until(() => processesWith(marker).length > 0);
    const stopped = ended(build);
    build.kill('SIGINT');
    await until(() => leftovers(host, marker).length === 0, 2000);
    expect(await stopped).toBe(130);
    rmSync(context, { recursive: true });
  });

  it('two builds at once: each step is run once', async () => {
    const context = contextOf(
      'FROM busybox\nRUN sleep 0.3; head -c 16 /dev/urandom | od -x > /random\nRUN head -c 16 /dev/urandom | od -x > /more\n',
    );
    const ids = await Promise.all([1, 2].map(() => host.ok(['build', '-q', context])));
    const layers = await Promise.all(ids.map((id) => host.ok(['inspect', '-f', '{{json .RootFS.Layers}}', id.trim()])));
    expect(layers[0]).toBe(layers[1]);
    rmSync(context, { recursive: true });
  });
});

describe('kill -9 of the engine', () => {
  const host = new Host();
  beforeAll(() => host.importBase('busybox'));
  afterAll(() => host.dispose());

  it('during a build, at 50 random moments: the next command recovers, nothing stays, a container lives on', async () => {
    const marker = 'kill-nine-27182';
    await host.ok([
      'run',
      '-d',
      '--name',
      'survivor',
      'busybox',
      'sh',
      '-c',
      'i=0; while [ ! -e /stop ]; do echo tick $i; i=$((i+1)); sleep 0.2; done; exit 42',
    ]);
    const { Pid } = JSON.parse(await host.ok(['inspect', '-f', '{{json .State}}', 'survivor']));
    for (let round = 0; round < 50; round++) {
      const context = contextOf(
        `FROM busybox\nCOPY data /data\nRUN sh -c 'for i in 1 2 3 4 5 6 7 8; do head -c 20000 /data > /f$i; sleep 0.02; done' ${marker}-${round}\nRUN echo ${round} > /round\n`,
      );
      const build = host.start(['build', '-q', context]);
      const stopped = ended(build);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 450));
      const engine = host.enginePid();
      if (engine) process.kill(engine, 'SIGKILL');
      await stopped;
      expect(await host.ok(['ps', '-q', '--no-trunc'])).toMatch(/^[0-9a-f]{64}\n$/);
      expect(leftovers(host, `${marker}-${round}`, { liveRoots: 1 }), `round ${round}`).toEqual([]);
      if (round % 10 === 9) expect((await host.ok(['build', '-q', context])).trim()).toMatch(/^sha256:/);
      rmSync(context, { recursive: true });
    }
    const state = JSON.parse(await host.ok(['inspect', '-f', '{{json .State}}', 'survivor']));
    expect(state).toMatchObject({ Running: true, Pid });
    await host.ok(['exec', 'survivor', 'touch', '/stop']);
    expect((await host.ok(['wait', 'survivor'])).trim()).toBe('42');
    const lines = (await host.ok(['logs', 'survivor'])).trim().split('\n');
    expect(lines).toEqual(lines.map((_, i) => `tick ${i}`));
  }, 300_000);

  it('a container that ends while no engine runs: its logs and exit code are kept', async () => {
    await host.ok(['run', '-d', '--name', 'alone', 'busybox', 'sh', '-c', 'echo first; sleep 0.5; echo last; exit 5']);
    const { Pid } = JSON.parse(await host.ok(['inspect', '-f', '{{json .State}}', 'alone']));
    process.kill(host.enginePid()!, 'SIGKILL');
    await until(() => processesWith('echo first').length === 0 && Pid > 0);
    const state = JSON.parse(await host.ok(['inspect', '-f', '{{json .State}}', 'alone']));
    expect(state).toMatchObject({ Status: 'exited', ExitCode: 5 });
    expect(await host.ok(['logs', 'alone'])).toBe('first\nlast\n');
  });
});

describe('a full disk', () => {
  const folder = mkdtempSync('/tmp/berth-small-');
  const root = join(folder, 'root');
  let host: Host;

  beforeAll(async () => {
    mkdirSync(root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', root]);
    host = new Host({ root });
    await host.importBase('busybox');
  });
  afterAll(async () => {
    await host.dispose();
    execFileSync('umount', [root]);
    rmSync(folder, { recursive: true });
  });

  it('is said clearly, and the store stays intact', async () => {
    const greedy = contextOf('FROM busybox\nRUN head -c 100000000 /dev/zero > /big\n');
    const result = await host.berth(['build', '-t', 'greedy', '--progress', 'plain', greedy]);
    expect(result.code).toBe(1);
    expect(`${result.stdout}${result.stderr}`).toMatch(/no space left on the disk that holds Berth's data/);
    const wide = contextOf('FROM busybox\nCOPY wide /wide\n');
    writeFileSync(join(wide, 'wide'), Buffer.alloc(40_000_000, 7));
    const copy = await host.berth(['build', '-t', 'greedy', wide]);
    expect(copy.code).toBe(1);
    expect(copy.stderr).toMatch(/no space left/i);
    expect(copy.stderr).not.toMatch(/^\s+at /m);
    expect(leftovers(host, 'none-such-marker')).toEqual([]);
    expect(await host.ok(['run', '--rm', 'busybox', 'echo', 'intact'])).toBe('intact\n');
    const modest = contextOf('FROM busybox\nRUN echo fits > /small\n');
    await host.ok(['build', '-t', 'modest', modest]);
    expect(await host.ok(['images', '-q', 'greedy'])).toBe('');
    for (const context of [greedy, wide, modest]) rmSync(context, { recursive: true });
  });
});
