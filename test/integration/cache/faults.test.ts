import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openContentStore, openImageStore, openObjectStore, openStepRecords } from '../../../src/cache/index.ts';
import { toBerthError } from '../../../src/errors/index.ts';
import { type ImageConfig, sha256 } from '../../../src/oci/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-faults-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function configOf(text: string): ImageConfig {
  return {
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { text } },
    rootfs: { type: 'layers', diff_ids: [] },
  };
}

describe('kill -9 while images are stored', () => {
  /** Lets the tagger store some images, kills it, and returns the names that it had promised. */
  function killAfter(round: number, wanted: number, delayMs: number): Promise<string[]> {
    const script = fileURLToPath(new URL('./tagger.ts', import.meta.url));
    const child = spawn(process.execPath, [script, folder, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    let killing = false;
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (killing || text.split('\n').length <= wanted) return;
      killing = true;
      setTimeout(() => child.kill('SIGKILL'), delayMs);
    });
    return new Promise((resolve) => {
      child.once('close', () => resolve(text.split('\n').filter((name) => name.length > 0)));
    });
  }

  it('keeps every name that was promised, reads well, and leaves nothing after a sweep', async () => {
    const promised: string[] = [];
    for (let round = 0; round < 8; round++) promised.push(...(await killAfter(round, 1 + round, round * 0.7)));
    expect(promised.length).toBeGreaterThan(8);
    const { engineImages, buildImages } = openImageStore(folder);
    const names = await buildImages.names();
    expect(promised.filter((name) => !names.includes(name))).toEqual([]);
    for (const name of names) expect((await engineImages.find(name))?.config.config?.Labels).toEqual({ name });
    await openContentStore(folder).sweepTemps();
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });
});

describe('a full disk', () => {
  beforeEach(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'berth-test', folder]);
  });
  afterEach(() => {
    execFileSync('umount', [folder]);
  });

  const full = async (work: Promise<unknown>) => {
    const error: unknown = await work.catch((thrown: unknown) => thrown);
    expect(toBerthError(error)).toMatchObject({ kind: 'exhausted', hint: expect.stringContaining('free space') });
  };

  it('is told as such, and leaves the store as it was', async () => {
    const store = openContentStore(folder);
    const { engineImages, buildImages } = openImageStore(folder);
    const objects = openObjectStore(folder);
    const records = openStepRecords(folder);
    const id = await buildImages.put(configOf('a'), ['docker.io/library/app:1']);
    await objects.write('container', 'abc', { count: 1 });
    const before = readFileSync(join(folder, 'images/refs.json'), 'utf8');

    async function* endless() {
      for (;;) yield Buffer.alloc(16 * 1024, 1);
    }
    await full(store.write(endless()));
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
    const large = 'x'.repeat(300 * 1024);
    await full(buildImages.put(configOf(large), ['docker.io/library/app:1']));
    await full(objects.write('container', 'abc', { count: 2, large }));
    const layer = { chainId: sha256('c'), diffId: sha256('d'), sizeBytes: 1 };
    const key = { digest: sha256('k'), inputs: { large } };
    await full(records.put({ key, slot: 's', layer: layer as never, createdAt: '' }));

    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
    expect(readFileSync(join(folder, 'images/refs.json'), 'utf8')).toBe(before);
    expect((await engineImages.find('docker.io/library/app:1'))?.id).toBe(id);
    expect(await objects.read('container', 'abc')).toEqual({ count: 1 });
    expect(await records.get(sha256('k'))).toBeUndefined();
    await objects.write('container', 'abc', { count: 3 });
    expect(await objects.read('container', 'abc')).toEqual({ count: 3 });
  });
});
