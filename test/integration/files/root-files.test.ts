import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RootFiles } from '../../../src/runtime/files/index.ts';
import { readXattr, writeXattr } from '../../../src/runtime/linux/xattr.ts';

let base: string;
let from: string;
let to: string;
let files: RootFiles;
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'berth-files-'));
  from = join(base, 'from');
  to = join(base, 'to');
  mkdirSync(from);
  mkdirSync(to);
  files = new RootFiles({
    cacheFolder: join(base, 'stat'),
    worker: fileURLToPath(new URL('../../../src/runtime/files/worker.ts', import.meta.url)),
  });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const copy = (fromPath: string, toPath: string, more: object = {}) =>
  files.copy({ fromRoot: from, fromPath, toRoot: to, toPath, ...more });

describe('copy', () => {
  it('keeps mode, time, extended attributes, links and hard links', async () => {
    mkdirSync(join(from, 'd/e'), { recursive: true });
    writeFileSync(join(from, 'd/e/f'), 'text');
    chmodSync(join(from, 'd/e/f'), 0o4755);
    writeXattr(join(from, 'd/e/f'), 'security.capability', capability);
    utimesSync(join(from, 'd/e/f'), 1000, 1000);
    linkSync(join(from, 'd/e/f'), join(from, 'd/g'));
    symlinkSync('/nowhere', join(from, 'd/link'));
    await copy('d', 'app/d');
    const copied = lstatSync(join(to, 'app/d/e/f'));
    expect(copied.mode & 0o7777).toBe(0o4755);
    expect(copied.mtimeMs).toBe(1_000_000);
    expect(copied.ino).toBe(lstatSync(join(to, 'app/d/g')).ino);
    expect(Buffer.from(readXattr(join(to, 'app/d/e/f'), 'security.capability')!)).toEqual(capability);
    expect(readlinkSync(join(to, 'app/d/link'))).toBe('/nowhere');
  });

  it('gives the owner and the permissions that were asked for', async () => {
    writeFileSync(join(from, 'f'), 'x');
    await copy('f', 'f', { owner: { uid: 33, gid: 34 }, chmod: 0o4711 });
    expect(lstatSync(join(to, 'f'))).toMatchObject({ uid: 33, gid: 34 });
    expect(lstatSync(join(to, 'f')).mode & 0o7777).toBe(0o4711);
  });

  it('resolves a link in the destination inside the root, never outside', async () => {
    const outside = join(base, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(to, 'absolute'));
    symlinkSync('../../../../../..', join(to, 'up'));
    writeFileSync(join(from, 'f'), 'x');
    await copy('f', 'absolute/f');
    await copy('f', 'up/f');
    expect(existsSync(join(outside, 'f'))).toBe(false);
    expect(readFileSync(join(to, outside, 'f'), 'utf8')).toBe('x');
    expect(readFileSync(join(to, 'f'), 'utf8')).toBe('x');
  });

  it('reads a source link inside its root, never outside', async () => {
    symlinkSync('/etc/hostname', join(from, 'leak'));
    await expect(copy('leak', 'leak')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(existsSync(join(to, 'leak'))).toBe(false);
  });

  it('leaves out what is excluded, but keeps the parents of what is not', async () => {
    mkdirSync(join(from, 'a/b'), { recursive: true });
    writeFileSync(join(from, 'a/b/keep'), '');
    writeFileSync(join(from, 'a/drop'), '');
    mkdirSync(join(from, 'big'));
    writeFileSync(join(from, 'big/x'), '');
    const excluded = (path: string) => (path === 'big' ? ('subtree' as const) : path !== 'a/b/keep');
    await copy('', '', { excluded });
    expect(existsSync(join(to, 'a/b/keep'))).toBe(true);
    expect(existsSync(join(to, 'a/drop'))).toBe(false);
    expect(existsSync(join(to, 'big'))).toBe(false);
  });

  it('refuses a directory onto a file and a file onto a directory', async () => {
    mkdirSync(join(from, 'x'));
    writeFileSync(join(from, 'y'), '');
    writeFileSync(join(to, 'x'), '');
    mkdirSync(join(to, 'y'));
    await expect(copy('x', 'x')).rejects.toMatchObject({ kind: 'invalid' });
    await expect(copy('y', 'y')).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('copies a thousand files in a worker as it does inline', async () => {
    mkdirSync(join(from, 'many'));
    for (let i = 0; i < 1000; i++) writeFileSync(join(from, `many/${i}`), String(i));
    await copy('many', 'many');
    expect(readFileSync(join(to, 'many/999'), 'utf8')).toBe('999');
    const one = await files.digest({ root: from, path: 'many' });
    const two = await files.digest({ root: to, path: 'many' });
    expect(one).toEqual(two);
    expect(one.files).toBe(1001);
  });
});

describe('digest', () => {
  const digestOf = async (options: object = {}) => (await files.digest({ root: from, path: 'd', ...options })).digest;

  it('changes with content, mode, name and link target, not with time', async () => {
    mkdirSync(join(from, 'd'));
    writeFileSync(join(from, 'd/f'), 'one');
    const first = await digestOf();
    utimesSync(join(from, 'd/f'), 1, 1);
    expect(await digestOf()).toBe(first);
    chmodSync(join(from, 'd/f'), 0o600);
    const second = await digestOf();
    expect(second).not.toBe(first);
    writeFileSync(join(from, 'd/f'), 'two');
    expect(await digestOf()).not.toBe(second);
  });

  it('trusts its memory of unchanged files and notices changed ones', async () => {
    mkdirSync(join(from, 'd'));
    writeFileSync(join(from, 'd/f'), 'one');
    execFileSync('touch', ['-d', '2001-01-01', join(from, 'd/f')]);
    const first = await digestOf({ statCache: true });
    expect(await digestOf({ statCache: true })).toBe(first);
    writeFileSync(join(from, 'd/f'), 'two');
    execFileSync('touch', ['-d', '2001-01-01', join(from, 'd/f')]);
    expect(await digestOf({ statCache: true })).not.toBe(first);
  });
});

describe('reading and making', () => {
  it('reads a file of the root and no FIFO, no directory, no file outside', async () => {
    mkdirSync(join(to, 'etc'));
    writeFileSync(join(to, 'etc/passwd'), 'root:x:0:0');
    execFileSync('mkfifo', [join(to, 'fifo')]);
    symlinkSync('../../../../etc/passwd', join(to, 'p'));
    expect(String(await files.readFile(to, '/p', 4))).toBe('root');
    expect(await files.readFile(to, 'fifo', 10)).toBeUndefined();
    expect(await files.readFile(to, 'etc', 10)).toBeUndefined();
    expect(await files.readFile(to, 'nope', 10)).toBeUndefined();
  });

  it('makes missing directories with the attributes and leaves existing ones alone', async () => {
    mkdirSync(join(to, 'a'), { mode: 0o700 });
    await files.makeDirectory(to, '/a/b/c', { uid: 5, gid: 6, mode: 0o750 });
    expect(lstatSync(join(to, 'a')).mode & 0o777).toBe(0o700);
    expect(lstatSync(join(to, 'a/b/c'))).toMatchObject({ uid: 5, gid: 6 });
    expect(lstatSync(join(to, 'a/b')).mode & 0o777).toBe(0o750);
  });

  it('writes through a dangling link to its place inside the root', async () => {
    symlinkSync('/target', join(to, 'l'));
    await files.writeFile(to, 'l', Buffer.from('new'), { uid: 0, gid: 0, mode: 0o640 });
    expect(readFileSync(join(to, 'target'), 'utf8')).toBe('new');
    expect(existsSync('/target')).toBe(false);
  });
});

describe('unpack', () => {
  it('unpacks an archive by content and leaves other files to be copied', async () => {
    writeFileSync(join(from, 'f'), 'content');
    execFileSync('tar', ['-czf', join(base, 'a.bin'), '-C', from, '.']);
    expect(await files.unpack({ root: base, path: 'a.bin' }, to, 'out', { uid: 0, gid: 0 })).toBe(true);
    expect(readFileSync(join(to, 'out/f'), 'utf8')).toBe('content');
    expect(await files.unpack({ root: from, path: 'f' }, to, 'out')).toBe(false);
  });

  it('keeps a hostile archive inside the root', async () => {
    mkdirSync(join(base, 'outside'));
    mkdirSync(join(from, 'x'));
    symlinkSync('/outside', join(from, 'x/way'));
    execFileSync('tar', ['-cf', join(base, 'evil.tar'), '-C', join(from, 'x'), '.']);
    rmSync(join(from, 'x/way'));
    mkdirSync(join(from, 'x/way'));
    writeFileSync(join(from, 'x/way/file'), 'gotcha');
    execFileSync('tar', ['-rf', join(base, 'evil.tar'), '-C', join(from, 'x'), 'way/file']);
    await files.unpack({ root: base, path: 'evil.tar' }, to, '').catch(() => {});
    expect(existsSync('/outside')).toBe(false);
    expect(existsSync(join(base, 'outside/file'))).toBe(false);
  });
});
