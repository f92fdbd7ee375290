import { createHash, type Hash } from 'node:crypto';
import { BerthError } from '../../errors/index.ts';
import { algorithmOf, type Digest, hexOf } from '../../oci/index.ts';

/** What a piece of content must turn out to be. */
export interface Expected {
  readonly digest?: Digest;
  readonly sizeBytes?: number;
}

/** Counts and hashes content as it passes. */
export class Verifier {
  readonly #hash: Hash;
  readonly #expected: Expected;
  readonly #algorithm: 'sha256' | 'sha512';
  sizeBytes = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.#algorithm = expected.digest === undefined ? 'sha256' : algorithmOf(expected.digest);
    this.#hash = createHash(this.#algorithm);
  }

  /** @throws BerthError `invalid` as soon as there is more than was announced */
  take(chunk: Uint8Array): void {
    this.sizeBytes += chunk.length;
    const limit = this.#expected.sizeBytes;
    if (limit !== undefined && this.sizeBytes > limit) throw this.#wrongSize(`more than ${limit}`);
    this.#hash.update(chunk);
  }

  /** @throws BerthError `invalid` when size or digest differ */
  finish(): Digest {
    const { digest, sizeBytes } = this.#expected;
    if (sizeBytes !== undefined && this.sizeBytes !== sizeBytes) throw this.#wrongSize(String(this.sizeBytes));
    const found = `${this.#algorithm}:${this.#hash.digest('hex')}` as Digest;
    if (digest !== undefined && found !== digest) {
      throw new BerthError('invalid', `content does not match its digest: expected ${digest}, found ${found}`);
    }
    return found;
  }

  #wrongSize(found: string): BerthError {
    const { digest, sizeBytes } = this.#expected;
    const name = digest === undefined ? 'content' : `content ${hexOf(digest).slice(0, 12)}`;
    return new BerthError('invalid', `${name} has the wrong size: expected ${sizeBytes} bytes, found ${found}`);
  }
}
