import { createHash, type Hash } from 'node:crypto';
import { algorithmOf, type Descriptor } from '../../oci/index.ts';
import type { BlobOptions } from '../blob.ts';

const MARK_EVERY = 4 * 1024 * 1024;
const MARKS = 16;
const PIECE = 64 * 1024;

type Fetch = (options: BlobOptions) => AsyncIterable<Uint8Array>;

/**
 * A download that an upload reads piece by piece: one request serves all pieces, and a piece that has to be sent again
 * is fetched again from a little before it. The digest is checked as the last byte is handed out.
 */
export class RewindableBlob {
  readonly #blob: Descriptor;
  readonly #fetch: Fetch;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #hash: Hash;
  /** Where the next chunk begins. */
  #offset = 0;
  #rest: Uint8Array = new Uint8Array();
  #marks: { readonly offset: number; readonly hash: Hash }[] = [];

  constructor(blob: Descriptor, fetch: Fetch) {
    this.#blob = blob;
    this.#fetch = fetch;
    this.#hash = createHash(algorithmOf(blob.digest));
  }

  /** One reader at a time. @throws BerthError `invalid` for wrong content, `unavailable` */
  async *open(from: number): AsyncGenerator<Uint8Array> {
    if (this.#chunks === undefined || from !== this.#offset - this.#rest.length) await this.#restart(from);
    for (let at = from; ; ) {
      if (this.#rest.length === 0) {
        const next = await this.#next();
        if (next === undefined) return;
        this.#rest = next;
      }
      const start = this.#offset - this.#rest.length;
      // Uploads go in round sizes: pieces that end there leave nothing over that would have to be fetched again.
      const skip = Math.max(0, at - start);
      const piece = this.#rest.subarray(skip, skip + PIECE - (at % PIECE));
      this.#rest = this.#rest.subarray(skip + piece.length);
      at += piece.length;
      if (piece.length > 0) yield piece;
    }
  }

  async close(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = undefined;
    await chunks?.return?.();
  }

  async #restart(from: number): Promise<void> {
    await this.close();
    this.#rest = new Uint8Array();
    this.#marks = this.#marks.filter(({ offset }) => offset <= from);
    const mark = this.#marks.at(-1);
    this.#offset = mark?.offset ?? 0;
    this.#hash = mark ? mark.hash.copy() : createHash(algorithmOf(this.#blob.digest));
    this.#chunks = this.#fetch({ from: { offset: this.#offset, hash: this.#hash } })[Symbol.asyncIterator]();
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#chunks === undefined || this.#offset >= this.#blob.size) return undefined;
    if (this.#offset - (this.#marks.at(-1)?.offset ?? 0) >= MARK_EVERY) {
      this.#marks = [...this.#marks.slice(-MARKS), { offset: this.#offset, hash: this.#hash.copy() }];
    }
    const { done, value } = await this.#chunks.next();
    if (done) return undefined;
    this.#offset += value.length;
    // The end says whether all of it was right: nobody gets the last byte before.
    if (this.#offset >= this.#blob.size) await this.#chunks.next();
    return value;
  }
}
