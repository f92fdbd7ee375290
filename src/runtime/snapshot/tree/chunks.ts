import { readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

const CHUNK = 1 << 20;

/** Gathers bytes into chunks of 1 MiB, which its generators yield when they are full. */
export class ChunkWriter {
  readonly #reuse: boolean;
  #chunk: Buffer = Buffer.allocUnsafe(CHUNK);
  #used = 0;

  /** @param reuse one buffer serves for all: the consumer is done with a chunk when it asks for the next */
  constructor(reuse: boolean) {
    this.#reuse = reuse;
  }

  *bytes(bytes: Buffer): Generator<Buffer> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#used === CHUNK) yield this.#take();
      const copied = bytes.copy(this.#chunk, this.#used, at);
      this.#used += copied;
      at += copied;
    }
  }

  /** Exactly `size` bytes of an open file; zeros for what it is too short by. @returns bytes that it was too short by */
  *file(fd: number, size: number): Generator<Buffer, number> {
    let missing = 0;
    for (let left = size; left > 0; ) {
      if (this.#used === CHUNK) yield this.#take();
      const wanted = Math.min(left, CHUNK - this.#used);
      let got = missing > 0 ? 0 : readSync(fd, this.#chunk, this.#used, wanted, null);
      if (got === 0) {
        this.#chunk.fill(0, this.#used, this.#used + wanted);
        missing += wanted;
        got = wanted;
      }
      this.#used += got;
      left -= got;
    }
    return missing;
  }

  *rest(): Generator<Buffer> {
    if (this.#used > 0) yield this.#take();
  }

  #take(): Buffer {
    const full = this.#chunk.subarray(0, this.#used);
    if (!this.#reuse) this.#chunk = Buffer.allocUnsafe(CHUNK);
    this.#used = 0;
    return full;
  }
}

/** Chunks that are made synchronously, one turn of the event loop for each. */
export async function* inTurns(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    yield chunk;
    await setImmediate();
  }
}
