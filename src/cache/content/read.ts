import { open } from 'node:fs/promises';
import { BerthError, isBerthError } from '../../errors/index.ts';
import type { Digest } from '../../oci/index.ts';
import { isMissing } from '../temp.ts';
import { blobPath } from './path.ts';
import { Verifier } from './verify.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * A blob's bytes, hashed as they pass; a damaged blob fails before the stream ends.
 * @throws BerthError `not-found` when it is not stored, `internal` when its bytes do not match its digest
 */
export async function* readBlob(dataFolder: string, digest: Digest): AsyncGenerator<Buffer> {
  const file = await openBlob(dataFolder, digest);
  try {
    const verifier = new Verifier({ digest });
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      verifier.take(chunk);
      yield chunk;
    }
    verifier.finish();
  } catch (error) {
    throw isBerthError(error) ? damaged(digest, error) : error;
  } finally {
    await file.close();
  }
}

async function openBlob(dataFolder: string, digest: Digest) {
  try {
    return await open(blobPath(dataFolder, digest), 'r');
  } catch (error) {
    if (isMissing(error)) throw new BerthError('not-found', `content ${digest} is not in the store`);
    throw error;
  }
}

function damaged(digest: Digest, cause: Error): BerthError {
  return new BerthError('internal', `content ${digest} is damaged on disk`, {
    cause,
    hint: 'remove the image that uses it and load, pull or build it again',
  });
}
