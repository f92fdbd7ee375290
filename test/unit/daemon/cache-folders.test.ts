import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CacheFolderRequest, CacheFolders } from '../../../src/builder/ports.ts';
import { openCacheFolders } from '../../../src/daemon/build-ports/cache-folders.ts';

describe('cache folders', () => {
  let folder: string;
  let folders: CacheFolders;
  beforeEach(() => {
    folder = mkdtempSync('/tmp/berth-cache-folders-');
    folders = openCacheFolders(folder);
    return () => rmSync(folder, { recursive: true, force: true });
  });

  const owner = { uid: process.getuid!(), gid: process.getgid!() };
  const open = (change: Partial<CacheFolderRequest> = {}, from = folders) =>
    from.open({ id: '/c', sharing: 'shared', mode: 0o755, ...owner, signal: new AbortController().signal, ...change });
  /** Settles what can settle without anybody's help. */
  const state = async (promise: Promise<unknown>) => {
    const pending = Symbol('pending');
    await new Promise((resolve) => setImmediate(resolve));
    return (await Promise.race([promise, Promise.resolve(pending)])) === pending ? 'waits' : 'is open';
  };

  it('keep what was written, also for the next engine; each id has its own', async () => {
    const first = await open({ mode: 0o700 });
    writeFileSync(join(first.path, 'kept'), '');
    await first.release();
    expect(statSync(first.path).mode & 0o777).toBe(0o700);
    const again = await open({}, openCacheFolders(folder));
    expect(readdirSync(again.path)).toEqual(['kept']);
    expect(readdirSync((await open({ id: '/other' })).path)).toEqual([]);
  });

  it('that are shared are one for all who ask', async () => {
    const [one, two] = await Promise.all([open(), open()]);
    expect(two.path).toBe(one.path);
  });

  it('that are private are one for each at a time, and used again', async () => {
    const one = await open({ sharing: 'private' });
    const two = await open({ sharing: 'private' });
    const three = await open();
    expect(new Set([one.path, two.path, three.path]).size).toBe(3);
    await two.release();
    await two.release();
    expect((await open({ sharing: 'private' })).path).toBe(two.path);
  });

  it('that are locked are waited for, one after the other', async () => {
    const one = await open({ sharing: 'locked' });
    const two = open({ sharing: 'locked' });
    const three = open({ sharing: 'locked' });
    expect(await state(two)).toBe('waits');
    await one.release();
    const second = await two;
    expect(second.path).toBe(one.path);
    expect(await state(three)).toBe('waits');
    await second.release();
    expect((await three).path).toBe(one.path);
  });

  it('are not waited for any more when the build is cancelled', async () => {
    await open({ sharing: 'locked' });
    const controller = new AbortController();
    const waiting = open({ sharing: 'locked', signal: controller.signal });
    controller.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
  });

  it('are filled once, before anybody sees them', async () => {
    const { promise: filled, resolve } = Promise.withResolvers<void>();
    const fill = async (draft: string) => {
      await filled;
      writeFileSync(join(draft, 'first'), '');
    };
    const opened = Promise.all([open({ fill }), open({ fill })]);
    resolve();
    const [one, two] = await opened;
    expect(one.path).toBe(two.path);
    expect(readdirSync(one.path)).toEqual(['first']);
  });

  it('are not there after a fill that failed, nor what a crash left half-made', async () => {
    const fill = () => Promise.reject(new Error('no content'));
    await expect(open({ fill })).rejects.toThrow('no content');
    const { path } = await open();
    expect(basename(path)).toBe('0');
    const half = join(path, '../7.new');
    writeFileSync(half, '');
    await open({}, openCacheFolders(folder));
    expect(existsSync(half)).toBe(false);
  });
});
