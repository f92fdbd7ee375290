import { createHash } from 'node:crypto';
import { BerthError } from '../../errors/index.ts';
import { algorithmOf, type Digest } from '../../oci/index.ts';

/**
 * Passes content on and fails at its end when it is not what was announced.
 * @throws BerthError `invalid`
 */
export async function* verified(
  content: AsyncIterable<Uint8Array>,
  expected: { readonly digest: Digest; readonly sizeBytes?: number },
): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithmOf(expected.digest));
  let sizeBytes = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    sizeBytes += chunk.length;
    yield chunk;
  }
  if (expected.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes) {
    throw new BerthError('invalid', `${expected.digest} has ${sizeBytes} bytes instead of ${expected.sizeBytes}`);
  }
  const found = `${algorithmOf(expected.digest)}:${hash.digest('hex')}`;
  if (found !== expected.digest) {
    throw new BerthError('invalid', `content does not match its digest: expected ${expected.digest}, found ${found}`);
  }
}

/** All of a small stream. @throws BerthError `invalid` when there is more than `maxBytes` */
export async function collect(content: AsyncIterable<Uint8Array>, maxBytes: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of content) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new BerthError('invalid', `${what} is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
