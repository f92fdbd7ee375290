import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ArchiveMember, readTar, type TarEntry } from '../../../src/archive/index.ts';
import { packTree } from '../../../src/runtime/snapshot/tree/pack.ts';
import { listTree, walkTree } from '../../../src/runtime/snapshot/tree/walk.ts';

let top: string;
beforeEach(() => {
  top = mkdtempSync('/tmp/berth-pack-');
});
afterEach(() => rmSync(top, { recursive: true }));

async function unpack(chunks: Iterable<Uint8Array>): Promise<Map<string, { entry: TarEntry; content: Buffer }>> {
  const source = (async function* () {
    yield* chunks;
  })();
  const found = new Map<string, { entry: TarEntry; content: Buffer }>();
  for await (const { entry, content } of readTar(source) as AsyncIterable<ArchiveMember>) {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    found.set(entry.name, { entry, content: Buffer.concat(parts) });
  }
  return found;
}

describe('packTree', () => {
  it('writes names in order, whole seconds, and links to the first name', async () => {
    mkdirSync(`${top}/dir`);
    for (const name of ['z', 'dir/b', 'dir/a']) writeFileSync(`${top}/${name}`, name);
    linkSync(`${top}/dir/b`, `${top}/dir/c`);
    symlinkSync('/outside', `${top}/link`);
    utimesSync(`${top}/z`, 1000.75, 1000.75);
    const found = await unpack(packTree(walkTree(top)));
    expect([...found.keys()]).toEqual(['dir', 'dir/a', 'dir/b', 'dir/c', 'link', 'z']);
    expect(found.get('dir/c')!.entry).toMatchObject({ type: 'hardlink', linkName: 'dir/b', size: 0 });
    expect(found.get('link')!.entry).toMatchObject({ type: 'symlink', linkName: '/outside' });
    expect(found.get('z')!.entry.mtime).toBe(1000);
  });

  it('writes the same with one buffer as with many', () => {
    writeFileSync(`${top}/large`, Buffer.alloc(3_500_000, 'abc'));
    writeFileSync(`${top}/small`, 'x');
    const shared: Buffer[] = [];
    for (const chunk of packTree(walkTree(top), { reuseBuffer: true })) shared.push(Buffer.from(chunk));
    expect(Buffer.concat(shared).equals(Buffer.concat([...packTree(walkTree(top))]))).toBe(true);
  });

  it('keeps its promise when a file shrinks or goes meanwhile', async () => {
    writeFileSync(`${top}/gone`, 'gone');
    writeFileSync(`${top}/shrunk`, Buffer.alloc(100_000, 'x'));
    writeFileSync(`${top}/whole`, 'whole');
    const items = listTree(top)!;
    rmSync(`${top}/gone`);
    truncateSync(`${top}/shrunk`, 10);
    const found = await unpack(packTree(items));
    expect([...found.keys()]).toEqual(['shrunk', 'whole']);
    expect(found.get('shrunk')!.content.equals(Buffer.concat([Buffer.alloc(10, 'x'), Buffer.alloc(99_990)]))).toBe(
      true,
    );
  });
});

describe('listTree', () => {
  it('stops at its budget', () => {
    for (let index = 0; index < 5; index += 1) writeFileSync(`${top}/${index}`, 'xx');
    expect(listTree(top, { entries: 5, bytes: 10 })).toHaveLength(5);
    expect(listTree(top, { entries: 4, bytes: 10 })).toBeUndefined();
    expect(listTree(top, { entries: 5, bytes: 9 })).toBeUndefined();
  });
});
