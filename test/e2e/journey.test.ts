import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Host } from '../support/host.ts';

const example = fileURLToPath(new URL('../../examples/hello', import.meta.url));

describe('from a Dockerfile to a running container', () => {
  const host = new Host();
  let context: string;

  beforeAll(() => host.importBase('busybox'));
  afterAll(() => host.dispose());
  beforeEach(() => {
    context = mkdtempSync(join(tmpdir(), 'berth-context-'));
    return () => rmSync(context, { recursive: true, force: true });
  });
  const dockerfile = (text: string) => writeFileSync(join(context, 'Dockerfile'), text);

  it('builds the example, runs it, and takes every step from the cache the second time', async () => {
    await host.ok(['build', '-t', 'hello', example]);
    expect(await host.ok(['run', '--rm', 'hello'])).toBe('HELLO, world! (from Berth)\n');
    expect(await host.ok(['run', '--rm', '-e', 'NAME=you', 'hello', 'again'])).toBe('HELLO, you! (again)\n');
    const again = await host.berth(['build', '--progress', 'plain', '-t', 'hello', example]);
    expect(again.code).toBe(0);
    expect(`${again.stdout}${again.stderr}`.match(/CACHED/g)?.length).toBeGreaterThanOrEqual(5);
  });

  it('says why a step missed its cache', async () => {
    cpSync(example, context, { recursive: true });
    await host.ok(['build', '-q', context]);
    writeFileSync(join(context, 'greeting.txt'), 'goodbye\n');
    const again = await host.berth(['build', '--progress', 'plain', context]);
    expect(`${again.stdout}${again.stderr}`).toMatch(/greeting\.txt/);
  });

  it('gives RUN the environment, user and folder that Docker gives', async () => {
    dockerfile(`FROM busybox
ARG WHO=arg
ENV A=1 B="two words"
WORKDIR /srv/app
RUN echo "$PWD $A $B $WHO $HOME" > /seen && id -u >> /seen
USER www-data:users
RUN id -u >> /tmp/user && id -g >> /tmp/user && echo $HOME >> /tmp/user
RUN ["sh", "-c", "echo exec form $0 > /tmp/exec", "zero"]
CMD cat /seen /tmp/user /tmp/exec
`);
    await host.ok(['build', '-t', 'env', '--build-arg', 'WHO=me', context]);
    expect(await host.ok(['run', '--rm', 'env'])).toBe(
      '/srv/app 1 two words me /root\n0\n33\n100\n/var/www\nexec form zero\n',
    );
  });

  it('copies with --from, --chown and --chmod, and honours .dockerignore', async () => {
    mkdirSync(join(context, 'dir/sub'), { recursive: true });
    writeFileSync(join(context, 'dir/sub/a.txt'), 'a');
    writeFileSync(join(context, 'dir/secret.key'), 'k');
    writeFileSync(join(context, '.dockerignore'), '**/*.key\n');
    dockerfile(`FROM busybox AS one
COPY --chown=www-data:33 --chmod=640 dir /copied/
FROM busybox
COPY --from=one /copied /again
CMD find /again -type f -exec stat -c '%n %a %u:%g' {} + ; ls /again
`);
    await host.ok(['build', '-t', 'copy', context]);
    expect(await host.ok(['run', '--rm', 'copy'])).toBe('/again/sub/a.txt 640 33:33\nsub\n');
  });

  it('builds only the stages that the target needs', async () => {
    dockerfile('FROM busybox AS wanted\nRUN echo yes\nFROM busybox AS broken\nRUN exit 1\nFROM wanted AS last\n');
    await host.ok(['build', '--target', 'last', context]);
    expect((await host.berth(['build', '--target', 'broken', context])).code).toBe(1);
  });

  it('writes the image id to --iidfile and, with -q, nothing else to stdout', async () => {
    dockerfile('FROM scratch\nLABEL a=b\n');
    const id = await host.ok(['build', '-q', '--label', 'c=d', '--iidfile', join(context, 'iid'), context]);
    expect(id).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(readFileSync(join(context, 'iid'), 'utf8')).toBe(id.trim());
    expect(JSON.parse(await host.ok(['inspect', '-f', '{{json .Config.Labels}}', id.trim()]))).toEqual({
      a: 'b',
      c: 'd',
    });
  });

  it('reads the Dockerfile from standard input with -f -', async () => {
    writeFileSync(join(context, 'f'), 'content');
    await host.ok(['build', '-t', 'stdin', '-f', '-', context], {
      input: 'FROM busybox\nCOPY f /f\nCMD ["cat", "/f"]\n',
    });
    expect(await host.ok(['run', '--rm', 'stdin'])).toBe('content');
  });

  it('binds folders and single files, and read-only means read-only', async () => {
    writeFileSync(join(context, 'f'), 'from the host');
    const script = 'cat /one /all/f; echo x > /one || echo y > /all/f || echo z > /all/new && cat /all/new';
    const result = await host.berth([
      'run',
      '--rm',
      '-v',
      `${join(context, 'f')}:/one:ro`,
      '-v',
      `${context}:/all:ro`,
      'busybox',
      'sh',
      '-c',
      script,
    ]);
    expect(result.stdout).toBe('from the hostfrom the host');
    await host.ok(['run', '--rm', '-v', `${context}/made:/made`, 'busybox', 'sh', '-c', 'echo inside > /made/out']);
    expect(readFileSync(join(context, 'made/out'), 'utf8')).toBe('inside\n');
    dockerfile('FROM busybox\nRUN --mount=type=bind,source=f,target=/m cat /m > /out\nCMD ["cat", "/out"]\n');
    await host.ok(['build', '-t', 'bound', context]);
    expect(await host.ok(['run', '--rm', 'bound'])).toBe('from the host');
  });

  it('runs a heredoc script', async () => {
    dockerfile(
      'FROM busybox\nRUN <<EOF\necho one > /out\necho two >> /out\nEOF\nCOPY <<"END" /literal\n$HOME\nEND\nCMD cat /out /literal\n',
    );
    await host.ok(['build', '-t', 'heredoc', context]);
    expect(await host.ok(['run', '--rm', 'heredoc'])).toBe('one\ntwo\n$HOME\n');
  });

  it('hosts the engine in the command itself with BERTH_DAEMONLESS=1', async () => {
    const alone = new Host({ env: { BERTH_DAEMONLESS: '1' } });
    try {
      await alone.importBase('busybox');
      expect(alone.enginePid()).toBeUndefined();
      expect(await alone.ok(['run', '--rm', 'busybox', 'echo', 'daemonless'])).toBe('daemonless\n');
      expect(alone.enginePid()).toBeUndefined();
    } finally {
      await alone.dispose();
    }
  });

  it.each(['', '1'])('serves commands that start at once on an empty host, BERTH_DAEMONLESS=%j', async (daemonless) => {
    const empty = new Host({ env: { BERTH_DAEMONLESS: daemonless } });
    try {
      const results = await Promise.all(Array.from({ length: 6 }, () => empty.berth(['ps', '-q'])));
      expect(results).toEqual(Array.from({ length: 6 }, () => ({ code: 0, stdout: '', stderr: '' })));
    } finally {
      await empty.dispose();
    }
  });
});
