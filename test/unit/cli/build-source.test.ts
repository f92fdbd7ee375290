import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packContext } from '../../../src/cli/build/context-tar.ts';
import { readSource } from '../../../src/cli/build/source.ts';
import { startFakeEngine } from './fake-engine.ts';
import { runMain } from './test-environment.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-context-'));
  mkdirSync(join(root, 'ctx/sub/deep'), { recursive: true });
  for (const file of ['ctx/Dockerfile', 'ctx/sub/Other', 'ctx/sub/deep/keep.txt', 'ctx/a.log', 'Outside']) {
    writeFileSync(join(root, file), 'FROM scratch\n');
  }
});
afterEach(() => rmSync(root, { recursive: true }));

const stdinOf = (content: string | Buffer) => Object.assign(new PassThrough(), { isTTY: false }).end(content);
const read = (path: string, file?: string, stdin: string | Buffer = '') =>
  readSource(path, file, { cwd: root, stdin: stdinOf(stdin) });

describe('readSource', () => {
  it('finds the Dockerfile inside and outside of the context', async () => {
    expect(await read('ctx')).toMatchObject({
      root: join(root, 'ctx'),
      dockerfile: { kind: 'inside', path: undefined },
    });
    expect(await read('ctx', 'ctx/sub/Other')).toMatchObject({ dockerfile: { kind: 'inside', path: 'sub/Other' } });
    expect(await read('ctx', 'sub/Other')).toMatchObject({ dockerfile: { kind: 'inside', path: 'sub/Other' } });
    expect(await read('ctx', 'Outside')).toMatchObject({
      dockerfile: { kind: 'outside', path: join(root, 'Outside') },
    });
  });

  it('follows a link out of the context by its real place', async () => {
    symlinkSync('../Outside', join(root, 'ctx/Link'));
    expect(await read('ctx', 'ctx/Link')).toMatchObject({
      dockerfile: { kind: 'outside', path: join(root, 'Outside') },
    });
  });

  it('tells a Dockerfile on stdin from an archive', async () => {
    expect(await read('-', undefined, 'FROM x\n')).toMatchObject({ kind: 'text', text: Buffer.from('FROM x\n') });
    const tar = execFileSync('tar', ['-C', join(root, 'ctx'), '-cz', '.']);
    expect(await read('-', 'sub/Other', tar)).toMatchObject({ kind: 'archive', dockerfile: 'sub/Other' });
    expect(await read('ctx', '-', 'FROM y\n')).toMatchObject({
      dockerfile: { kind: 'text', text: Buffer.from('FROM y\n') },
    });
  });

  it('leaves repositories and URLs to the engine, unless a folder has that name', async () => {
    expect(await read('git@github.com:a/b', 'sub/Dockerfile')).toEqual({
      kind: 'remote',
      url: 'git@github.com:a/b',
      dockerfile: 'sub/Dockerfile',
    });
    expect(await read('https://example.com/context.tar.gz')).toMatchObject({ kind: 'remote' });
    expect(await read('https://example.com/a.git', '-', 'FROM z\n')).toMatchObject({
      kind: 'remote',
      dockerfile: { kind: 'text', text: Buffer.from('FROM z\n') },
    });
    expect(await read('github.com/a/b')).toMatchObject({ kind: 'remote' });
    mkdirSync(join(root, 'github.com/a/b'), { recursive: true });
    expect(await read('github.com/a/b')).toMatchObject({ kind: 'folder', root: join(root, 'github.com/a/b') });
  });

  it.each([
    ['-', '-', 'PATH and -f cannot both be read from stdin'],
    ['gone', undefined, 'path "gone" not found'],
    ['Outside', undefined, 'Outside is a file'],
    ['ctx', 'ctx/sub', 'ctx/sub is a folder'],
    ['ctx', 'gone', 'cannot find the Dockerfile gone'],
  ])('refuses PATH %s with -f %s', async (path, file, message) => {
    await expect(read(path, file)).rejects.toThrow(message);
  });
});

describe('packContext', () => {
  const names = async (tar: Readable) => {
    const chunks: Buffer[] = [];
    for await (const chunk of tar) chunks.push(chunk as Buffer);
    const listed = execFileSync('tar', ['-tv', '--numeric-owner'], { input: Buffer.concat(chunks) })
      .toString('utf8')
      .trim()
      .split('\n');
    expect(listed.every((line) => line.includes(' 0/0 '))).toBe(true);
    return listed
      .map((line) => line.split(' ').at(-1)!.replace(/^\.\//, ''))
      .filter((name) => name !== '' && name !== '.')
      .sort();
  };

  it('leaves out what .dockerignore excludes, but not what it brings back', async () => {
    writeFileSync(join(root, 'ctx/.dockerignore'), '*.log\nsub\n!sub/deep/keep.txt\nDockerfile\n');
    expect(await names(packContext(join(root, 'ctx'), { dockerfile: undefined }))).toEqual([
      '.dockerignore',
      'Dockerfile',
      'sub',
      'sub/deep',
      'sub/deep/keep.txt',
    ]);
  });

  it('keeps an ignored Dockerfile that is asked for, and adds one from elsewhere', async () => {
    writeFileSync(join(root, 'ctx/.dockerignore'), 'sub\n');
    expect(await names(packContext(join(root, 'ctx'), { dockerfile: 'sub/Other' }))).toContain('sub/Other');
    const guest = { name: '.dockerfile.x', text: Buffer.from('FROM x'), ignore: Buffer.from('*\n') };
    expect(await names(packContext(join(root, 'ctx'), { dockerfile: guest.name, guest }))).toEqual(
      ['.dockerfile.x', '.dockerfile.x.dockerignore', '.dockerignore'].sort(),
    );
  });
});

describe('build on the local engine', () => {
  it('sends paths, not files', async () => {
    const id = `sha256:${'a'.repeat(64)}`;
    const engine = await startFakeEngine([{ on: 'POST /build', lines: [{ aux: { ID: id } }] }]);
    const runRoot = engine.host.slice('unix://'.length).replace(/\/engine\.sock$/, '');
    const env = { BERTH_RUN_ROOT: `${runRoot}/none` };
    const hosts = { ensureEngine: () => Promise.resolve(engine.host) };
    try {
      const iid = join(root, 'iid');
      const first = await runMain(['build', '-q', '--iidfile', iid, 'ctx'], { cwd: root, env, hosts });
      const second = await runMain(['build', '-q', '-f', 'Outside', 'ctx'], { cwd: root, env, hosts });
      expect([first.code, first.stdout, second.code]).toEqual([0, `${id}\n`, 0]);
      expect(
        engine.requests.map(({ line, body }) => [line.match(/berth-(?:context|dockerfile)=[^&]*/g), body.length]),
      ).toEqual([
        [[`berth-context=${root}/ctx`], 0],
        [[`berth-context=${root}/ctx`, `berth-dockerfile=${root}/Outside`], 0],
      ]);
    } finally {
      await engine.close();
    }
  });

  it('stops at Ctrl-C with 130', async () => {
    const { EventEmitter } = await import('node:events');
    const signals = new EventEmitter();
    // The request is never answered: only the signal ends it.
    const engine = await startFakeEngine([{ on: 'POST /build', never: true }]);
    try {
      const running = runMain(['build', '-'], { env: { BERTH_HOST: engine.host }, stdin: 'FROM scratch\n', signals });
      await expect.poll(() => engine.requests.length).toBe(1);
      signals.emit('SIGINT', 'SIGINT');
      expect(await running).toMatchObject({ code: 130, stderr: 'cancelled\n' });
    } finally {
      await engine.close();
    }
  });
});
