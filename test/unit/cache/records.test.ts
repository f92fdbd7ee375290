import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CachedStep, openStepRecords } from '../../../src/cache/index.ts';
import { type Digest, hexOf, sha256 } from '../../../src/oci/index.ts';
import { dataFolder, filesIn } from './folder.ts';

function record(key: string, slot = 'stage 0, step 1'): CachedStep {
  const layer = { chainId: sha256(`chain ${key}`), diffId: sha256(`diff ${key}`), sizeBytes: 5 };
  return { key: { digest: sha256(key), inputs: { command: key } }, slot, layer, createdAt: '2026-01-01T00:00:00Z' };
}

const fileOf = (folder: string, digest: Digest) => join(folder, 'cache/records', `${hexOf(digest)}.json`);

describe('step records', () => {
  it('gives back what was put, also in a new process', async () => {
    const folder = await dataFolder();
    const records = openStepRecords(folder);
    await records.put(record('a'));
    expect(await records.get(sha256('a'))).toEqual(record('a'));
    expect(await openStepRecords(folder).get(sha256('a'))).toEqual(record('a'));
    expect(await records.get(sha256('b'))).toBeUndefined();
  });

  it('knows the newest record of a slot', async () => {
    const folder = await dataFolder();
    const records = openStepRecords(folder);
    await records.put(record('a'));
    await records.put(record('b'));
    await records.put(record('c', 'another slot'));
    expect(await records.latest('stage 0, step 1')).toEqual(record('b'));
    expect(await openStepRecords(folder).latest('stage 0, step 1')).toEqual(record('b'));
    expect(await records.latest('no such slot')).toBeUndefined();
  });

  it.each([0, 1, 40, 200])('takes a record torn after %i bytes for a miss', async (length) => {
    const folder = await dataFolder();
    await openStepRecords(folder).put(record('a'));
    await truncate(fileOf(folder, sha256('a')), length);
    const records = openStepRecords(folder);
    expect(await records.get(sha256('a'))).toBeUndefined();
    expect(await records.latest('stage 0, step 1')).toBeUndefined();
    expect(await records.all()).toEqual([]);
  });

  it('does not believe a record under the name of another', async () => {
    const folder = await dataFolder();
    await openStepRecords(folder).put(record('a'));
    await writeFile(fileOf(folder, sha256('b')), await readFile(fileOf(folder, sha256('a'))));
    expect(await openStepRecords(folder).get(sha256('b'))).toBeUndefined();
  });

  it('notes the last use as the time of the file, when asked to flush', async () => {
    const folder = await dataFolder();
    let now = Date.UTC(2026, 0, 1);
    const records = openStepRecords(folder, { now: () => now });
    await records.put(record('a'));
    now = Date.UTC(2026, 5, 1);
    await records.get(sha256('a'));
    await records.flushUsage();
    expect((await stat(fileOf(folder, sha256('a')))).mtimeMs).toBe(now);
    expect(await records.all()).toEqual([{ record: record('a'), lastUsedAt: now }]);
  });

  it('names the layers that a keep policy keeps', async () => {
    const records = openStepRecords(await dataFolder());
    await records.put(record('a'));
    await records.put(record('b'));
    expect((await records.chains()).toSorted()).toEqual([sha256('chain a'), sha256('chain b')].toSorted());
    expect(await records.chains(({ key }) => key.digest === sha256('b'))).toEqual([sha256('chain b')]);
  });

  it('forgets a removed record and leaves no temp', async () => {
    const folder = await dataFolder();
    const records = openStepRecords(folder);
    await records.put(record('a'));
    await records.remove(sha256('a'));
    expect(await records.get(sha256('a'))).toBeUndefined();
    expect(await records.latest('stage 0, step 1')).toBeUndefined();
    expect((await filesIn(folder)).filter((file) => !file.startsWith('cache/slots/'))).toEqual([]);
  });
});
