import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeHeader, endOfArchive, padding } from '../../src/archive/index.ts';
import { type DiffId, sha256 } from '../../src/oci/index.ts';

export interface ChunkedLayer {
  readonly blob: Buffer;
  readonly diffId: DiffId;
  /** The tar that every reader sees. */
  readonly tar: Buffer;
}

function member(name: string, content: string): Buffer {
  const bytes = Buffer.from(content);
  const entry = { type: 'file', name, size: bytes.length, mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
  return Buffer.concat([encodeHeader(entry), bytes, padding(bytes.length)]);
}

/**
 * A layer in the form of eStargz: each file in a gzip member of its own, then the table of contents as a last file, then
 * an empty member whose extra field says where the table begins.
 * @see stargz-snapshotter, docs/estargz.md
 */
export function estargz(files: Readonly<Record<string, string>>): ChunkedLayer {
  const parts = Object.entries(files).map(([name, content]) => member(name, content));
  const members = parts.map((part) => gzipSync(part));
  const tocOffset = members.reduce((sum, { length }) => sum + length, 0);
  const entries = Object.entries(files).map(([name, content]) => ({ name, type: 'reg', size: content.length }));
  const toc = Buffer.concat([
    member('stargz.index.json', JSON.stringify({ version: 1, entries })),
    Buffer.from(endOfArchive),
  ]);
  const tar = Buffer.concat([...parts, toc]);
  return { blob: Buffer.concat([...members, gzipSync(toc), footer(tocOffset)]), diffId: sha256(tar), tar };
}

/** An empty gzip member of 51 bytes: header with an extra field `SG`, and a stored block of nothing. */
function footer(tocOffset: number): Buffer {
  const text = Buffer.from(`${tocOffset.toString(16).padStart(16, '0')}STARGZ`);
  const header = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]);
  const extra = Buffer.from([text.length + 4, 0, 0x53, 0x47, text.length, 0]);
  return Buffer.concat([header, extra, text, Buffer.from([1, 0, 0, 0xff, 0xff]), Buffer.alloc(8)]);
}

/**
 * A layer in the form of zstd:chunked: a frame for each file, the table and a footer in frames that readers skip.
 * @see containers/storage, pkg/chunked
 */
export function zstdChunked(files: Readonly<Record<string, string>>): ChunkedLayer {
  const parts = [...Object.entries(files).map(([name, content]) => member(name, content)), Buffer.from(endOfArchive)];
  const table = skippable(zstdCompressSync(JSON.stringify({ version: 1, entries: Object.keys(files) })));
  const end = Buffer.concat([Buffer.alloc(56), Buffer.from('GNUlInUx')]);
  const tar = Buffer.concat(parts);
  const blob = Buffer.concat([...parts.map((part) => zstdCompressSync(part)), table, skippable(end)]);
  return { blob, diffId: sha256(tar), tar };
}

function skippable(content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}
