import { pipeline, Readable, type Transform } from 'node:stream';
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { BerthError } from '../errors/index.ts';
import { ZstdFrameSplitter } from './zstd-frames.ts';

export type Compression = 'gzip' | 'zstd';

export interface DecompressOptions {
  /** Output bytes per input byte that are too good to be true, checked after 64 MiB. Default: no limit. */
  readonly maxRatio?: number;
}

const RATIO_CHECKED_FROM = 64 * 1024 * 1024;
const OUTPUT_CHUNK = 256 * 1024;

/** What data can be compressed with. */
export type Format = 'plain' | Compression | 'bzip2' | 'xz';

/** What the first bytes (6 are enough) say; media types lie. */
export function compressionOf(head: Buffer): Format {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length >= 4) {
    const magic = head.readUInt32LE(0);
    if (magic === 0xfd2fb528 || (magic & 0xfffffff0) === 0x184d2a50) return 'zstd';
  }
  if (head.toString('latin1', 0, 3) === 'BZh') return 'bzip2';
  if (head.toString('latin1', 0, 6) === '\xfd7zXZ\0') return 'xz';
  return 'plain';
}

/**
 * Plain bytes of gzip (any number of members), zstd (any number of frames) or plain data, told apart by content.
 * @throws BerthError `unsupported` for bzip2 and xz, `invalid` for damaged data or a ratio over the limit
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array> {
  const chunks = buffers(source);
  try {
    const head = await readHead(chunks);
    const format = compressionOf(head);
    if (format === 'bzip2' || format === 'xz') {
      throw new BerthError('unsupported', `the archive is compressed with ${format}, which is not supported`, {
        hint: `unpack it first (${format === 'xz' ? 'unxz' : 'bunzip2'}), or compress it with gzip or zstd`,
      });
    }
    const counter = { input: 0 };
    const input = counted(prepend(head, chunks), counter);
    if (format === 'plain') {
      yield* input;
      return;
    }
    const output = format === 'gzip' ? through(createGunzip({ chunkSize: OUTPUT_CHUNK }), input) : unzstd(input);
    let length = 0;
    for await (const chunk of output) {
      length += chunk.length;
      if (length > RATIO_CHECKED_FROM && length > counter.input * (options.maxRatio ?? Number.POSITIVE_INFINITY)) {
        throw new BerthError('invalid', `the ${format} data expands more than ${options.maxRatio} times: refused`);
      }
      yield chunk;
    }
  } catch (error) {
    throw asDamage(error);
  } finally {
    await chunks.return(undefined);
  }
}

/** Compresses. Equal input gives equal output with one version of Node. */
export function compress(
  source: AsyncIterable<Uint8Array>,
  format: Compression,
  level?: number,
): AsyncGenerator<Uint8Array> {
  const chunkSize = OUTPUT_CHUNK;
  if (format === 'gzip') return through(createGzip({ chunkSize, ...(level === undefined ? {} : { level }) }), source);
  const params = { [constants.ZSTD_c_compressionLevel]: level ?? constants.ZSTD_CLEVEL_DEFAULT };
  return through(createZstdCompress({ chunkSize, params }), source);
}

async function* through(engine: Transform, source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  // The iteration below reports every failure; the callback only keeps it from being unhandled.
  pipeline(Readable.from(source, { objectMode: false }), engine, () => {});
  for await (const chunk of engine) yield chunk as Buffer;
}

async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const splitter = new ZstdFrameSplitter();
  const parts = (async function* () {
    for await (const chunk of source) yield* splitter.split(chunk);
    if (!splitter.complete) throw new BerthError('invalid', 'damaged zstd data: it ends within a frame');
  })();
  async function* frame(first: Buffer, last: boolean): AsyncGenerator<Buffer> {
    yield first;
    while (!last) {
      const next = await parts.next();
      if (next.done) return;
      last = next.value.last;
      yield next.value.bytes;
    }
  }
  for (let next = await parts.next(); !next.done; next = await parts.next()) {
    yield* through(createZstdDecompress({ chunkSize: OUTPUT_CHUNK }), frame(next.value.bytes, next.value.last));
  }
}

async function* buffers(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, void> {
  for await (const chunk of source) {
    if (chunk.byteLength > 0) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

async function readHead(chunks: AsyncGenerator<Buffer, void, void>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 6) {
    const next = await chunks.next();
    if (next.done) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* prepend(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}

async function* counted(source: AsyncIterable<Buffer>, counter: { input: number }): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    counter.input += chunk.length;
    yield chunk;
  }
}

function asDamage(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== 'string' || !/^(Z_|ZSTD_)/.test(code)) return error;
  return new BerthError('invalid', `damaged compressed data: ${(error as Error).message}`, { cause: error });
}
