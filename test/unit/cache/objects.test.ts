import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openObjectStore } from '../../../src/cache/index.ts';
import { dataFolder, filesIn } from './folder.ts';

describe('object store', () => {
  it('gives back what was written, also in a new process', async () => {
    const folder = await dataFolder();
    await openObjectStore(folder).write('container', 'abc', { name: 'web' });
    expect(await openObjectStore(folder).read('container', 'abc')).toEqual({ name: 'web' });
    expect(await filesIn(folder)).toEqual(['containers/abc/state.json']);
  });

  it('keeps the last of many writes, each as it was when it was given', async () => {
    const folder = await dataFolder();
    const store = openObjectStore(folder);
    const value = { count: 0 };
    const writes = Array.from({ length: 30 }, (_, count) => {
      value.count = count;
      return store.write('container', 'abc', value);
    });
    value.count = -1;
    await Promise.all(writes);
    expect(await store.read('container', 'abc')).toEqual({ count: 29 });
  });

  it('is durable when a write resolves: the text on disk is at least that new', async () => {
    const folder = await dataFolder();
    const store = openObjectStore(folder);
    for (let count = 0; count < 5; count++) {
      const later = store.write('container', 'abc', { count: 100 + count });
      await store.write('container', 'abc', { count });
      const onDisk = JSON.parse(await readFile(join(folder, 'containers/abc/state.json'), 'utf8'));
      expect(onDisk).toEqual({ count });
      await later;
    }
  });

  it('removes an object with all its files, after writes that were under way', async () => {
    const folder = await dataFolder();
    const store = openObjectStore(folder);
    const log = await store.folder('container', 'abc');
    await writeFile(join(log, 'log'), 'line');
    await Promise.all([store.write('container', 'abc', {}), store.remove('container', 'abc')]);
    await store.remove('container', 'abc');
    expect(await filesIn(folder)).toEqual([]);
    expect(await store.read('container', 'abc')).toBeUndefined();
  });

  it('lists what has a state, not folders that a crash left', async () => {
    const folder = await dataFolder();
    const store = openObjectStore(folder);
    await store.write('container', 'abc', {});
    await mkdir(join(folder, 'containers/half'));
    expect(await store.list('container')).toEqual(['abc']);
  });

  it.each(['', '..', '../x', 'a/b', '.hidden'])('refuses %j as an id', async (id) => {
    const store = openObjectStore(await dataFolder());
    await expect(store.write('container', id, {})).rejects.toMatchObject({ kind: 'invalid' });
  });
});
