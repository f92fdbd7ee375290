import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Host, isRunning, until } from '../support/host.ts';

let host: Host;
beforeEach(async () => {
  host = new Host();
  await host.importBase('busybox');
}, 120_000);
afterEach(() => host.dispose());

const data = (path: string) => join(host.root, 'layout-v1', path);

async function build(name: string, dockerfile: string): Promise<string> {
  const context = join(host.folder, `context-${name}`);
  mkdirSync(context, { recursive: true });
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  return (await host.ok(['build', '-q', '-t', name, context])).trim();
}

async function stopEngine(signal: NodeJS.Signals): Promise<void> {
  const pid = host.enginePid()!;
  process.kill(pid, signal);
  await until(() => !isRunning(pid));
}

describe('the clean-up', () => {
  it('never takes what a running build needs, and takes it afterwards', async () => {
    await build('before', 'FROM busybox\nRUN echo one > /one\n');
    const context = join(host.folder, 'running');
    mkdirSync(context);
    // The first step comes from the cache; the last waits for a file in its cache folder.
    writeFileSync(
      join(context, 'Dockerfile'),
      `FROM busybox
RUN echo one > /one
RUN echo two > /two
RUN --mount=type=cache,target=/c touch /c/waits; until [ -e /c/go ]; do sleep 0.02; done; cat /one /two
`,
    );
    const running = host.berth(['build', '--progress=plain', '-t', 'result', context]);
    const cache = () => readdirSync(data('cache/mounts')).map((name) => data(`cache/mounts/${name}/0`));
    await until(() => cache().some((folder) => existsSync(join(folder, 'waits'))));
    for (let round = 0; round < 3; round++) {
      await host.berth(['rmi', '-f', 'before']);
      await host.ok(['system', 'prune', '-af']);
    }
    writeFileSync(join(cache()[0]!, 'go'), '');
    const { code, stderr } = await running;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await host.ok(['run', '--rm', 'result', 'cat', '/one', '/two'])).toBe('one\ntwo\n');
    await host.ok(['system', 'prune', '-af']);
    expect(readdirSync(data('layers'))).toEqual([]);
  }, 60_000);

  it('frees the layers of an image that was removed by force with its last container', async () => {
    await host.ok(['create', '--name', 'left', 'busybox', 'true']);
    expect(await host.ok(['rmi', '-f', 'busybox'])).toMatch(/^Untagged: busybox:latest\nDeleted: sha256:\w+\n$/);
    expect(await host.ok(['start', '-a', 'left'])).toBe('');
    expect(readdirSync(data('layers'))).toHaveLength(1);
    await host.ok(['container', 'prune', '-f']);
    expect(readdirSync(data('layers'))).toEqual([]);
  });

  it('finds what a crash left, tells it, and removes it at the next start', async () => {
    const id = await build('app', 'FROM busybox\nRUN echo 1 > /one\n');
    const orphan = `sha256:${'e'.repeat(64)}`;
    const plant = () => {
      writeFileSync(data(`content/blobs/sha256/${'e'.repeat(64)}`), '{}');
      mkdirSync(data(`layers/${'f'.repeat(64)}`));
    };
    plant();
    const { code, stdout } = await host.berth(['system', 'df', '--verify']);
    expect(code).toBe(1);
    expect(stdout).toContain(`orphan: ${orphan}: no image has this content`);
    expect(stdout).toContain(`orphan: layers/${'f'.repeat(64)}: this folder is no whole layer`);
    // Its name, its records and its layers were all that it had.
    writeFileSync(
      data('images/refs.json'),
      readFileSync(data('images/refs.json'), 'utf8').replaceAll(id, `sha256:${'9'.repeat(64)}x`),
    );
    await stopEngine('SIGKILL');
    rmSync(data('cache/records'), { recursive: true });
    expect(await host.ok(['images', '-q'])).toHaveLength(13);
    expect((await host.berth(['system', 'df', '--verify'])).stdout).toContain('agree with the disk');
    expect(readdirSync(data('layers'))).toHaveLength(1);
    expect(readdirSync(data('content/blobs/sha256'))).toHaveLength(1);
    expect(readdirSync(data('cache/slots'))).toEqual([]);
  });
});

describe('damage', () => {
  it('of a config leaves the other images alone, and keeps the layers for the day that it comes back', async () => {
    const id = await build('app', 'FROM busybox\nRUN echo 1 > /one\n');
    await stopEngine('SIGKILL');
    const blob = data(`content/blobs/sha256/${id.replace('sha256:', '')}`);
    const config = readFileSync(blob);
    writeFileSync(blob, config.subarray(0, 20));
    rmSync(data('cache/records'), { recursive: true });
    expect(await host.ok(['run', '--rm', 'busybox', 'echo', 'fine'])).toBe('fine\n');
    const failed = await host.berth(['run', '--rm', 'app', 'true']);
    expect(failed.code).toBe(125);
    expect(failed.stderr).toMatch(/damaged/);
    expect((await host.berth(['system', 'df', '--verify'])).stdout).toContain(`damaged: ${id}`);
    await stopEngine('SIGTERM');
    writeFileSync(blob, config);
    expect(await host.ok(['run', '--rm', 'app', 'cat', '/one'])).toBe('1\n');
  });

  it('of the list of images stops what needs it, and nothing is lost', async () => {
    await stopEngine('SIGKILL');
    const refs = readFileSync(data('images/refs.json'));
    writeFileSync(data('images/refs.json'), refs.subarray(0, refs.length / 2));
    const failed = await host.berth(['images']);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('the list of images cannot be read');
    expect((await host.berth(['system', 'prune', '-af'])).code).toBe(1);
    expect(await host.ok(['ps', '-aq'])).toBe('');
    await stopEngine('SIGKILL');
    writeFileSync(data('images/refs.json'), refs);
    expect(await host.ok(['run', '--rm', 'busybox', 'echo', 'fine'])).toBe('fine\n');
  });

  it('of a layer is told by name, and mended by building again', async () => {
    const dockerfile = 'FROM busybox\nRUN echo 1 > /one\n';
    await build('app', dockerfile);
    await stopEngine('SIGTERM');
    const top = readdirSync(data('layers')).find((name) => readdirSync(data(`layers/${name}/fs`)).includes('one'))!;
    rmSync(data(`layers/${top}/fs`), { recursive: true });
    const failed = await host.berth(['run', '--rm', 'app', 'true']);
    expect(failed.code).toBe(125);
    expect(failed.stderr).toContain(top);
    expect(await host.ok(['run', '--rm', 'busybox', 'echo', 'fine'])).toBe('fine\n');
    const { code, stdout } = await host.berth(['system', 'df', '--verify']);
    expect(stdout).toContain(`missing: sha256:${top}`);
    expect(code).toBe(1);
    await build('app', dockerfile);
    expect(await host.ok(['run', '--rm', 'app', 'cat', '/one'])).toBe('1\n');
  });
});

describe('prompts', () => {
  it.each([
    [
      ['container', 'prune'],
      'WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ',
    ],
    [['image', 'prune'], 'WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] '],
    [
      ['builder', 'prune'],
      'WARNING! This will remove all dangling build cache. Are you sure you want to continue? [y/N] ',
    ],
  ])('%j asks as Docker does', async (args, question) => {
    expect(await host.berth(args, { input: 'n\n' })).toEqual({ code: 0, stdout: question, stderr: '' });
    expect((await host.berth(args, { input: '' })).stdout).toBe(question);
    expect((await host.berth(args, { input: 'y\n' })).stdout).toBe(`${question}Total reclaimed space: 0B\n`);
  });
});
