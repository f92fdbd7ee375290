import { describe, expect, it } from 'vitest';
import {
  encodeHeader,
  endOfArchive,
  padding,
  readTar,
  type TarEntry,
  type TarLimits,
} from '../../../src/archive/index.ts';

const file = (name: string, size = 0): TarEntry => ({
  name,
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size,
  mtime: 0,
});

/** Sets bytes of a header and mends its checksum. */
function patched(header: Buffer, ...changes: readonly (readonly [offset: number, text: string])[]): Buffer {
  const block = Buffer.from(header);
  for (const [offset, text] of changes) block.write(text, offset, 'latin1');
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function longName(flag: 'L' | 'K', name: string): Buffer {
  const body = Buffer.from(`${name}\0`);
  const header = patched(encodeHeader(file('././@LongLink', body.length)), [156, flag], [257, 'ustar  \0']);
  return Buffer.concat([header, body, padding(body.length)]);
}

async function entries(bytes: Uint8Array, limits?: TarLimits): Promise<TarEntry[]> {
  const found: TarEntry[] = [];
  const source = (async function* () {
    yield bytes;
  })();
  for await (const { entry } of readTar(source, limits)) found.push(entry);
  return found;
}

describe('readTar', () => {
  it('reads GNU long names and link targets', async () => {
    const name = `${'deep/'.repeat(40)}file`;
    const target = `${'else/'.repeat(50)}where`;
    const link = encodeHeader({ ...file('short'), type: 'symlink', linkName: 'short' });
    const archive = Buffer.concat([longName('L', name), longName('K', target), link, endOfArchive]);
    expect(await entries(archive)).toMatchObject([{ name, linkName: target, type: 'symlink' }]);
  });

  it('reads old GNU base-256 numbers', async () => {
    const id = '\x80\0\0\0\x12\x34\x56\x78';
    expect(await entries(patched(encodeHeader(file('big')), [108, id]))).toMatchObject([{ uid: 0x12345678 }]);
  });

  it('takes a negative base-256 time', async () => {
    expect(await entries(patched(encodeHeader(file('old')), [136, `${'\xff'.repeat(11)}\xfe`]))).toMatchObject([
      { mtime: -2 },
    ]);
  });

  it('joins the ustar prefix, but not what old GNU headers keep there', async () => {
    const ustar = patched(encodeHeader(file('name')), [345, 'some/folder']);
    const gnu = patched(ustar, [257, 'ustar  \0']);
    expect(await entries(ustar)).toMatchObject([{ name: 'some/folder/name' }]);
    expect(await entries(gnu)).toMatchObject([{ name: 'name' }]);
  });

  it('takes a file whose name ends in a slash as a directory', async () => {
    expect(await entries(patched(encodeHeader(file('dir/')), [156, '\0']))).toMatchObject([
      { name: 'dir', type: 'directory' },
    ]);
  });

  it('applies global PAX records to all that follow, except names', async () => {
    const body = Buffer.from('14 mtime=1.25\n10 path=a\n');
    const global = patched(encodeHeader(file('g', body.length)), [156, 'g']);
    const archive = Buffer.concat([
      global,
      body,
      padding(body.length),
      encodeHeader(file('x')),
      encodeHeader(file('y')),
    ]);
    expect(await entries(archive)).toMatchObject([
      { name: 'x', mtime: 1.25 },
      { name: 'y', mtime: 1.25 },
    ]);
  });

  it('accepts an empty source and an archive without an end marker', async () => {
    expect(await entries(Buffer.alloc(0))).toEqual([]);
    expect(await entries(encodeHeader(file('only')))).toHaveLength(1);
  });

  it('refuses GNU sparse files', async () => {
    const sparse = patched(encodeHeader(file('holes')), [156, 'S']);
    await expect(entries(sparse)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('"holes"'),
    });
  });

  it.each([
    ['a wrong checksum', Buffer.from(encodeHeader(file('a'))).fill(0x41, 0, 1), /not a tar archive/],
    ['text', Buffer.from('hello '.repeat(200)), /not a tar archive/],
    ['a cut header', encodeHeader(file('a')).subarray(0, 300), /ends within its first header/],
    ['cut content', Buffer.concat([encodeHeader(file('cut', 100)), Buffer.alloc(10)]), /"cut"/],
    ['a number that is none', patched(encodeHeader(file('odd')), [124, 'zzz']), /"odd": its size is no number/],
    [
      'a negative size',
      patched(encodeHeader(file('neg')), [124, '\xff'.repeat(12)]),
      /"neg": its size is out of range/,
    ],
    ['an unknown type', patched(encodeHeader(file('what')), [156, 'Z']), /"what": entries of type "Z"/],
    ['an extension of 8 GiB', patched(encodeHeader(file('x')), [156, 'x'], [124, '77777777777']), /too large/],
    [
      'a malformed extension',
      Buffer.concat([patched(encodeHeader(file('x', 5)), [156, 'x']), Buffer.from('9 a=b'), padding(5)]),
      /malformed/,
    ],
  ])('refuses %s', async (_what, bytes, message) => {
    await expect(entries(bytes)).rejects.toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) });
  });

  it('stops at the limits', async () => {
    const archive = Buffer.concat([
      encodeHeader(file('a')),
      encodeHeader(file('b', 512)),
      Buffer.alloc(512),
      encodeHeader(file('c')),
    ]);
    await expect(entries(archive, { maxEntries: 2 })).rejects.toMatchObject({
      message: expect.stringContaining('more than 2 entries'),
    });
    await expect(entries(archive, { maxBytes: 511 })).rejects.toMatchObject({
      message: expect.stringContaining('"b"'),
    });
  });
});
