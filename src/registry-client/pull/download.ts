import { createHash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { algorithmOf, type Descriptor } from '../../oci/index.ts';
import type { BlobOptions } from '../blob.ts';

const CHUNK = 256 * 1024;

/** Gives a blob's bytes from an offset; its end means that they are right. */
export type FetchBlob = (options: BlobOptions) => AsyncIterable<Uint8Array>;

/**
 * A blob on its way into a file. What an earlier process left of it is taken as its beginning. Readers follow the file
 * while it grows, and see its end only when the content is right.
 */
export class Download {
  readonly blob: Descriptor;
  readonly #path: string;
  readonly #listeners = new Set<() => void>();
  #written = 0;
  #isReadable = false;
  #state: 'running' | 'complete' | { readonly error: unknown } = 'running';

  constructor(blob: Descriptor, path: string) {
    this.blob = blob;
    this.#path = path;
  }

  get written(): number {
    return this.#written;
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  /** Calls back on each change. @returns a function that stops it */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Fetches what is missing; one at a time. @throws what `fetch` throws, `ENOSPC` */
  async run(fetch: FetchBlob, signal: AbortSignal): Promise<void> {
    if (this.#state === 'complete') return;
    this.#state = 'running';
    this.#written = 0;
    this.#isReadable = false;
    try {
      await this.#run(fetch, signal);
      this.#state = 'complete';
    } catch (error) {
      this.#state = { error };
      // Bytes of an aborted download are as good as any; after another failure nobody can tell.
      if (!signal.aborted && !isUnreachable(error)) await rm(this.#path, { force: true });
      throw error;
    } finally {
      this.#changed();
    }
  }

  async #run(fetch: FetchBlob, signal: AbortSignal): Promise<void> {
    const file = await open(this.#path, 'a+', 0o600);
    try {
      const hash = createHash(algorithmOf(this.blob.digest));
      const { size } = await file.stat();
      if (size > this.blob.size) await file.truncate(0);
      else if (size > 0) {
        for await (const chunk of readRange(file, 0, () => size)) {
          signal.throwIfAborted();
          hash.update(chunk);
        }
        this.#written = size;
        this.#changed();
        // Nobody reads these bytes before they are known to be right: a power cut may have spoilt them.
        const isRight = await this.#fill(file, fetch({ from: { offset: size, hash }, signal })).then(
          () => true,
          (error: unknown) => {
            if (signal.aborted || isUnreachable(error)) throw error;
            return false;
          },
        );
        if (isRight) {
          this.#isReadable = true;
          return;
        }
        await file.truncate(0);
      }
      this.#written = 0;
      this.#isReadable = true;
      await this.#fill(file, fetch({ signal }));
    } finally {
      await file.close();
    }
  }

  async #fill(file: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    let waiting: Uint8Array[] = [];
    let length = 0;
    const flush = async () => {
      if (length === 0) return;
      const [chunks, count] = [waiting, length];
      [waiting, length] = [[], 0];
      for (let done = 0; done < count; ) {
        const { bytesWritten } = await file.writev(tail(chunks, done));
        done += bytesWritten;
      }
      this.#written += count;
      this.#changed();
    };
    for await (const chunk of bytes) {
      waiting.push(chunk);
      length += chunk.length;
      if (length >= CHUNK) await flush();
    }
    await flush();
  }

  /** The blob from its beginning. */
  async *read(): AsyncGenerator<Uint8Array> {
    await this.#until(() => this.#isReadable);
    const file = await open(this.#path, 'r');
    try {
      let offset = 0;
      for (;;) {
        for await (const chunk of readRange(file, offset, () => this.#written)) {
          offset += chunk.length;
          yield chunk;
        }
        if (this.#state === 'complete' && offset === this.#written) return;
        const seen = this.#written;
        await this.#until(() => this.#written > seen || this.#state === 'complete');
      }
    } finally {
      await file.close();
    }
  }

  /** Removes the file. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (typeof this.#state === 'object') throw this.#state.error;
      await new Promise<void>((resolve) => {
        const stop = this.watch(() => {
          stop();
          resolve();
        });
      });
    }
    if (typeof this.#state === 'object') throw this.#state.error;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A registry that cannot be reached says nothing about the bytes that came before. */
function isUnreachable(error: unknown): boolean {
  return (error as { kind?: unknown }).kind === 'unavailable';
}

async function* readRange(file: FileHandle, from: number, end: () => number): AsyncGenerator<Uint8Array> {
  for (let offset = from; offset < end(); ) {
    const length = Math.min(CHUNK, end() - offset);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, offset);
    if (bytesRead === 0) return;
    offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function tail(chunks: readonly Uint8Array[], skip: number): Uint8Array[] {
  let left = skip;
  return chunks.flatMap((chunk) => {
    const rest = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - rest.length;
    return rest.length === 0 ? [] : [rest];
  });
}
