import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHeader, endOfArchive, padding, readTar } from '../../../src/archive/index.ts';
import { type Member, member } from './arbitrary.ts';

function write(members: readonly Member[]): Buffer {
  return Buffer.concat([
    ...members.flatMap(({ entry, content }) => [encodeHeader(entry), content, padding(content.length)]),
    endOfArchive,
  ]);
}

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(source: AsyncIterable<Uint8Array>): Promise<Member[]> {
  const members: Member[] = [];
  for await (const { entry, content } of readTar(source)) {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    members.push({ entry, content: Buffer.concat(parts) });
  }
  return members;
}

describe('tar codec', () => {
  it('reads back every entry that it writes, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 6 }), fc.integer({ min: 1, max: 4000 }), async (members, cut) => {
        expect(await read(chunked(write(members), cut))).toEqual(members);
      }),
      { numRuns: 300 },
    );
  });

  it('writes equal bytes for equal entries', () => {
    fc.assert(
      fc.property(member, ({ entry }) => {
        const shuffled = { ...entry, ...(entry.xattrs ? { xattrs: new Map([...entry.xattrs].reverse()) } : {}) };
        expect(encodeHeader(shuffled)).toEqual(encodeHeader(entry));
      }),
    );
  });

  it('fills whole blocks', () => {
    fc.assert(
      fc.property(member, ({ entry, content }) => {
        expect(encodeHeader(entry).length % 512).toBe(0);
        expect((content.length + padding(content.length).length) % 512).toBe(0);
      }),
    );
  });

  it('skips the content that a reader leaves unread', async () => {
    const members = [1, 2, 3].map(
      (index): Member => ({
        entry: { name: `f${index}`, type: 'file', mode: 0o644, uid: 0, gid: 0, size: 5000, mtime: 1 },
        content: Buffer.alloc(5000, index),
      }),
    );
    const names: string[] = [];
    for await (const { entry, content } of readTar(chunked(write(members), 700))) {
      names.push(entry.name);
      if (entry.name === 'f2') for await (const _part of content) break;
    }
    expect(names).toEqual(['f1', 'f2', 'f3']);
  });
});
