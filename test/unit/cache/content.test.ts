import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openContentStore } from '../../../src/cache/index.ts';
import { type Digest, hexOf, sha256 } from '../../../src/oci/index.ts';
import { dataFolder, filesIn, streamOf } from './folder.ts';

const hello = sha256('hello');
const blobOf = (digest: Digest) => `content/blobs/sha256/${hexOf(digest)}`;

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('content store', () => {
  it('keeps what was written under its digest, in the blob layout of OCI', async () => {
    const folder = await dataFolder();
    const store = openContentStore(folder);
    expect(await store.write(streamOf('hel', 'lo'))).toEqual({ digest: hello, sizeBytes: 5 });
    expect(await filesIn(folder)).toEqual([blobOf(hello)]);
    expect((await bytesOf(store.read(hello))).toString()).toBe('hello');
    expect(await store.stat(hello)).toEqual({ sizeBytes: 5 });
    expect(await store.digests()).toEqual([hello]);
  });

  it('reads back any bytes in any chunks', async () => {
    const store = openContentStore(await dataFolder());
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 8 }), async (chunks) => {
        const { digest, sizeBytes } = await store.write(streamOf(...chunks));
        expect(await bytesOf(store.read(digest))).toEqual(Buffer.concat(chunks));
        expect(sizeBytes).toBe(Buffer.concat(chunks).length);
      }),
      { numRuns: 25 },
    );
  });

  it('keeps sha512 content', async () => {
    const store = openContentStore(await dataFolder());
    const digest =
      'sha512:9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043' as Digest;
    expect(await store.write(streamOf('hello'), { digest })).toEqual({ digest, sizeBytes: 5 });
    expect(await store.has(digest)).toBe(true);
  });

  it('refuses another digest than announced, and leaves nothing', async () => {
    const folder = await dataFolder();
    const store = openContentStore(folder);
    await expect(store.write(streamOf('hullo'), { digest: hello })).rejects.toMatchObject({ kind: 'invalid' });
    expect(await filesIn(folder)).toEqual([]);
    expect(await store.has(hello)).toBe(false);
  });

  it.each([4, 6])('refuses another size than the announced %i bytes, and leaves nothing', async (sizeBytes) => {
    const folder = await dataFolder();
    const write = openContentStore(folder).write(streamOf('hello'), { digest: hello, sizeBytes });
    await expect(write).rejects.toThrow(/wrong size/);
    expect(await filesIn(folder)).toEqual([]);
  });

  it('cleans up tmp on streaming error', async () => {
    const folder = await dataFolder();
    async function* broken() {
      yield Buffer.from('hel');
      throw new Error('connection lost');
    }
    await expect(openContentStore(folder).write(broken())).rejects.toThrow('connection lost');
    expect(await filesIn(folder)).toEqual([]);
  });

  it('stops and cleans up on abort', async () => {
    const folder = await dataFolder();
    const controller = new AbortController();
    async function* source() {
      yield Buffer.from('hel');
      controller.abort();
      yield Buffer.from('lo');
    }
    const write = openContentStore(folder).write(source(), { signal: controller.signal });
    await expect(write).rejects.toMatchObject({ name: 'AbortError' });
    expect(await filesIn(folder)).toEqual([]);
  });

  it('does not overwrite content already on disk, nor read its source', async () => {
    const folder = await dataFolder();
    const store = openContentStore(folder);
    const path = join(folder, blobOf(hello));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'as it was');
    let read = false;
    async function* source() {
      read = true;
      yield Buffer.from('hello');
    }
    await store.write(source(), { digest: hello });
    await store.write(streamOf('hello'));
    expect(read).toBe(false);
    expect(await readFile(path, 'utf8')).toBe('as it was');
  });

  it('lets concurrent writers of one digest share one write', async () => {
    const store = openContentStore(await dataFolder());
    let reads = 0;
    async function* source() {
      reads += 1;
      yield Buffer.from('hello');
    }
    const results = await Promise.all(Array.from({ length: 8 }, () => store.write(source(), { digest: hello })));
    expect(results).toEqual(Array.from({ length: 8 }, () => ({ digest: hello, sizeBytes: 5 })));
    expect(reads).toBe(1);
  });

  it('lets the next writer try when the first one fails', async () => {
    const store = openContentStore(await dataFolder());
    async function* broken() {
      yield Buffer.from('hel');
      throw new Error('connection lost');
    }
    const [first, second] = await Promise.allSettled([
      store.write(broken(), { digest: hello }),
      store.write(streamOf('hello'), { digest: hello }),
    ]);
    expect(first.status).toBe('rejected');
    expect(second.status).toBe('fulfilled');
  });

  it('tells when stored content was damaged', async () => {
    const folder = await dataFolder();
    const store = openContentStore(folder);
    await store.write(streamOf('hello'));
    await writeFile(join(folder, blobOf(hello)), 'hullo');
    await expect(bytesOf(store.read(hello))).rejects.toMatchObject({ kind: 'internal' });
  });

  it('says not-found for what it does not have, also after removal', async () => {
    const store = openContentStore(await dataFolder());
    await store.write(streamOf('hello'));
    await store.remove(hello);
    await store.remove(hello);
    await expect(bytesOf(store.read(hello))).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('sweeps temps of dead processes and nothing else', async () => {
    const folder = await dataFolder();
    await mkdir(join(folder, 'tmp', 'spool-0123456789ab-2'), { recursive: true });
    await writeFile(join(folder, 'tmp', 'blob-0123456789ab-1'), 'half');
    await writeFile(join(folder, 'tmp', 'spool-0123456789ab-2', '1'), 'half');
    await writeFile(join(folder, 'tmp', 'of-somebody-else'), '');
    const store = openContentStore(folder);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slow() {
      yield Buffer.from('hel');
      await gate;
      yield Buffer.from('lo');
    }
    const writing = store.write(slow());
    expect(await store.sweepTemps()).toBe(2);
    release();
    expect((await writing).digest).toBe(hello);
    expect(await filesIn(join(folder, 'tmp'))).toEqual(['of-somebody-else']);
  });
});
