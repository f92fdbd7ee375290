import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

const BLOCK = 1024 * 1024;
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** An empty last block. */
const END = Buffer.from([0x03, 0x00]);

const deflateBlock = promisify<Uint8Array, object, Buffer>(deflateRaw);

/**
 * Compresses on several cores into one gzip member: blocks are deflated by themselves, side by side, and end on a byte,
 * so that they can stand one after the other. Equal input gives equal output with one version of zlib.
 * @see RFC 1952; pigz
 */
export async function* parallelGzip(
  source: AsyncIterable<Uint8Array>,
  { level, parallel }: { readonly level: number; readonly parallel: number },
): AsyncGenerator<Buffer> {
  const inFlight: Promise<Buffer>[] = [];
  let sum = 0;
  let length = 0;
  yield HEADER;
  try {
    for await (const block of blocksOf(source)) {
      sum = crc32(block, sum);
      length += block.length;
      const deflated = deflateBlock(block, { level, finishFlush: constants.Z_SYNC_FLUSH });
      // Whoever stops reading does not wait for what is under way.
      deflated.catch(() => {});
      inFlight.push(deflated);
      if (inFlight.length >= parallel) yield (await inFlight.shift()) as Buffer;
    }
    while (inFlight.length > 0) yield (await inFlight.shift()) as Buffer;
  } finally {
    await Promise.allSettled(inFlight);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(sum, 0);
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  yield Buffer.concat([END, trailer]);
}

async function* blocksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafeSlow(BLOCK);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(BLOCK - filled, chunk.length - at);
      block.set(chunk.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < BLOCK) continue;
      yield block;
      block = Buffer.allocUnsafeSlow(BLOCK);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
