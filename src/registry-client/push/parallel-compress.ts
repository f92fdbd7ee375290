import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, zstdCompress, zstdCompressSync } from 'node:zlib';

export type PackFormat = 'gzip' | 'zstd';

/** A form whose parts can be made side by side and stand one after the other. */
interface BlockForm {
  readonly blockBytes: number;
  readonly head: Buffer;
  compress(block: Uint8Array, level: number): Promise<Buffer>;
  /** @param sum CRC-32 of all bytes, of which there were `length` */
  tail(sum: number, length: number): Buffer;
}

const MB = 1024 * 1024;
/** An empty last block of deflate. */
const GZIP_END = Buffer.from([0x03, 0x00]);

const deflateBlock = promisify<Uint8Array, object, Buffer>(deflateRaw);
const zstdBlock = promisify<Uint8Array, object, Buffer>(zstdCompress);

const forms: Readonly<Record<PackFormat, BlockForm>> = {
  /** One member: its blocks end on a byte. @see RFC 1952; pigz */
  gzip: {
    blockBytes: MB,
    head: Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]),
    compress: (block, level) =>
      deflateBlock(block, { level, memLevel: 9, chunkSize: MB / 2, finishFlush: constants.Z_SYNC_FLUSH }),
    tail(sum, length) {
      const trailer = Buffer.alloc(8);
      trailer.writeUInt32LE(sum, 0);
      trailer.writeUInt32LE(length % 2 ** 32, 4);
      return Buffer.concat([GZIP_END, trailer]);
    },
  },
  /** A frame for each block, and one for nothing. @see RFC 8878, 3.1 */
  zstd: {
    blockBytes: 2 * MB,
    head: Buffer.alloc(0),
    compress: (block, level) => zstdBlock(block, { params: { [constants.ZSTD_c_compressionLevel]: level } }),
    tail: (_sum, length) => (length === 0 ? zstdCompressSync(Buffer.alloc(0)) : Buffer.alloc(0)),
  },
};

export interface CompressOptions {
  readonly format: PackFormat;
  readonly level: number;
  /** Blocks that are compressed at once. */
  readonly parallel: number;
  /** Blocks that an earlier try compressed, by their number: they are read, not made. */
  readonly reuse?: (index: number) => Promise<Buffer> | undefined;
}

/** One block compressed; the head and the tail are no blocks. */
export interface Part {
  readonly kind: 'head' | 'reused' | 'made' | 'tail';
  readonly bytes: Buffer;
}

/**
 * Compresses on several cores: blocks by themselves, side by side, given in order. Equal input gives equal output with
 * one version of Node.
 */
export async function* parallelCompress(
  source: AsyncIterable<Uint8Array>,
  { format, level, parallel, reuse }: CompressOptions,
): AsyncGenerator<Part> {
  const form = forms[format];
  const inFlight: Promise<Part>[] = [];
  let sum = 0;
  let length = 0;
  let index = 0;
  yield { kind: 'head', bytes: form.head };
  try {
    for await (const block of blocksOf(source, form.blockBytes)) {
      sum = crc32(block, sum);
      length += block.length;
      const known = reuse?.(index++);
      const part = known
        ? known.then((bytes): Part => ({ kind: 'reused', bytes }))
        : form.compress(block, level).then((bytes): Part => ({ kind: 'made', bytes }));
      // Whoever stops reading does not wait for what is under way.
      part.catch(() => {});
      inFlight.push(part);
      if (inFlight.length >= parallel) yield (await inFlight.shift()) as Part;
    }
    while (inFlight.length > 0) yield (await inFlight.shift()) as Part;
  } finally {
    await Promise.allSettled(inFlight);
  }
  yield { kind: 'tail', bytes: form.tail(sum, length) };
}

async function* blocksOf(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let block: Buffer | undefined;
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      // A chunk that is a block needs no copy: nobody writes into it again.
      if (filled === 0 && at === 0 && chunk.length === size) {
        yield chunk;
        break;
      }
      block ??= Buffer.allocUnsafeSlow(size);
      const taken = Math.min(size - filled, chunk.length - at);
      block.set(chunk.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < size) continue;
      yield block;
      block = undefined;
      filled = 0;
    }
  }
  if (block && filled > 0) yield block.subarray(0, filled);
}
