import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compress, type DecompressOptions, decompress } from '../../../src/archive/index.ts';

const text = Buffer.from('some layer content '.repeat(20_000));

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function together(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

const plain = (bytes: Buffer, cut: number, options?: DecompressOptions): Promise<Buffer> =>
  together(decompress(chunked(bytes, cut), options));

const half = text.length / 2;
const skippable = Buffer.from([0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);

describe('decompress', () => {
  it.each([
    ['plain', text],
    ['gzip', gzipSync(text)],
    ['gzip of two members', Buffer.concat([gzipSync(text.subarray(0, half)), gzipSync(text.subarray(half))])],
    ['zstd', zstdCompressSync(text)],
    [
      'zstd of two frames',
      Buffer.concat([zstdCompressSync(text.subarray(0, half)), zstdCompressSync(text.subarray(half))]),
    ],
    ['zstd with skippable frames', Buffer.concat([skippable, zstdCompressSync(text), skippable])],
  ])('gives the content of %s data in chunks of any size', async (_what, bytes) => {
    for (const cut of [1000, 7, bytes.length]) expect((await plain(bytes, cut)).equals(text)).toBe(true);
  });

  it('gives nothing for nothing', async () => {
    expect(await plain(Buffer.alloc(0), 1)).toHaveLength(0);
  });

  it.each([
    ['gzip', gzipSync(text)],
    ['zstd', zstdCompressSync(text)],
  ])('refuses %s data that is cut short or damaged', async (_what, bytes) => {
    await expect(plain(bytes.subarray(0, bytes.length - 3), 1000)).rejects.toMatchObject({ kind: 'invalid' });
    const damaged = Buffer.from(bytes).fill(0xff, 20, 40);
    await expect(plain(damaged, 1000)).rejects.toMatchObject({ kind: 'invalid' });
  });

  it.each([
    ['bzip2', Buffer.from('BZh91AY&SY')],
    ['xz', Buffer.from('\xfd7zXZ\0\0', 'latin1')],
  ])('refuses %s and says what to do', async (format, bytes) => {
    await expect(plain(bytes, 100)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining(format),
      hint: expect.any(String),
    });
  });

  it('stops a bomb', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(80 * 1024 * 1024));
    await expect(plain(bomb, 65536, { maxRatio: 100 })).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('passes on what its source throws', async () => {
    const source = (async function* () {
      yield gzipSync(text).subarray(0, 100);
      throw new Error('connection lost');
    })();
    await expect(together(decompress(source))).rejects.toThrow('connection lost');
  });

  it('closes its source when the reader stops early', async () => {
    let closed = false;
    const source = (async function* () {
      try {
        for (;;) yield gzipSync(text);
      } finally {
        closed = true;
      }
    })();
    for await (const _chunk of decompress(source)) break;
    expect(closed).toBe(true);
  });
});

describe('compress', () => {
  it.each(['gzip', 'zstd'] as const)(
    'makes %s that decompresses to the same, and the same each time',
    async (format) => {
      const once = await together(compress(chunked(text, 5000), format, 1));
      const twice = await together(compress(chunked(text, 5000), format, 1));
      expect(once.equals(twice)).toBe(true);
      expect((await plain(once, 999)).equals(text)).toBe(true);
    },
  );
});
