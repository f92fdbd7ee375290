import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { decodeName, encodeName } from '../../archive/index.ts';
import { BerthError } from '../../errors/index.ts';
import { ContentPlaces, type Replaced } from './replaced.ts';
import { ChunkWriter } from './tree/chunks.ts';
import { fsPath } from './tree/fs-path.ts';

/**
 * The "split" form of a layer: all of its original tar that is not file content, so that the exact bytes can be given
 * back without storing contents twice. A sequence of blocks `u32 length, zstd frame`, which together hold records:
 * `0, u32 length, bytes` for bytes of the tar, `1, u64 size, u32 length, path` for the content of a file.
 */
const RAW = 0;
const CONTENT = 1;
const BLOCK_BYTES = 1 << 20;
const MAX_BLOCK_BYTES = 16 << 20;

export class SplitWriter {
  readonly #fd: number;
  #records: Buffer[] = [];
  #length = 0;
  #closed = false;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx', 0o600);
  }

  raw(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const part = bytes.subarray(at, at + BLOCK_BYTES);
      const head = Buffer.alloc(5);
      head.writeUInt8(RAW, 0);
      head.writeUInt32LE(part.length, 1);
      this.#add(head, Buffer.from(part));
    }
  }

  content(path: string, size: number): void {
    const name = encodeName(path);
    const head = Buffer.alloc(13);
    head.writeUInt8(CONTENT, 0);
    head.writeBigUInt64LE(BigInt(size), 1);
    head.writeUInt32LE(name.length, 9);
    this.#add(head, name);
  }

  finish(): void {
    this.#flush();
    this.close();
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }

  #add(...parts: readonly Buffer[]): void {
    this.#records.push(...parts);
    for (const part of parts) this.#length += part.length;
    if (this.#length >= BLOCK_BYTES) this.#flush();
  }

  #flush(): void {
    if (this.#length === 0) return;
    const frame = zstdCompressSync(Buffer.concat(this.#records));
    const head = Buffer.alloc(4);
    head.writeUInt32LE(frame.length);
    for (const part of [head, frame]) for (let at = 0; at < part.length; ) at += writeSync(this.#fd, part, at);
    this.#records = [];
    this.#length = 0;
  }
}

/** The original tar of a layer, in chunks of 1 MiB. `folder` is the layer's. */
export function* readSplit(folder: string, replaced: readonly Replaced[]): Generator<Buffer> {
  const places = new ContentPlaces(replaced);
  const writer = new ChunkWriter(false);
  let ordinal = 0;
  for (const records of readBlocks(`${folder}/layer.split`)) {
    for (let at = 0; at < records.length; ) {
      if (records[at] === RAW) {
        const start = at + 5;
        at = start + records.readUInt32LE(at + 1);
        yield* writer.bytes(records.subarray(start, at));
      } else {
        const size = Number(records.readBigUInt64LE(at + 1));
        const start = at + 13;
        at = start + records.readUInt32LE(at + 9);
        const place = `${folder}/${places.find(decodeName(records.subarray(start, at)), ordinal++)}`;
        const fd = openSync(fsPath(place), 'r');
        try {
          if ((yield* writer.file(fd, size)) > 0) throw damaged(place);
        } finally {
          closeSync(fd);
        }
      }
    }
  }
  yield* writer.rest();
}

function* readBlocks(path: string): Generator<Buffer> {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(4);
    while (readSync(fd, head) === 4) {
      const frame = Buffer.alloc(head.readUInt32LE());
      if (readSync(fd, frame) !== frame.length) throw damaged(path);
      yield zstdDecompressSync(frame, { maxOutputLength: MAX_BLOCK_BYTES });
    }
  } finally {
    closeSync(fd);
  }
}

function damaged(path: string): BerthError {
  return new BerthError('internal', `the stored layer is damaged: ${path}`, {
    hint: 'remove the images that use it and pull or build them again',
  });
}
