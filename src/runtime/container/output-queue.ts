import type { Readable } from 'node:stream';

export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly chunk: Buffer;
}

/** Above this much unread output the source is held back; below half of it, it goes on. */
const highWaterBytes = 1024 * 1024;

/**
 * Output on its way to one reader, bounded: when the reader is slow, the sources are paused. With a stall limit,
 * a reader that takes nothing for so long is given up, so that it cannot hold a container for ever.
 */
export class OutputQueue implements AsyncIterable<OutputChunk> {
  readonly #chunks: OutputChunk[] = [];
  readonly #sources: Readable[] = [];
  readonly #stallMs: number | undefined;
  readonly #onStall: () => void;
  #bytes = 0;
  #paused = false;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #stallTimer: NodeJS.Timeout | undefined;

  constructor(options: { readonly stallMs?: number; readonly onStall?: () => void } = {}) {
    this.#stallMs = options.stallMs;
    this.#onStall = options.onStall ?? (() => {});
  }

  /** Streams that are paused while the queue is full. */
  addSource(source: Readable): void {
    this.#sources.push(source);
  }

  push(stream: OutputChunk['stream'], chunk: Buffer): void {
    if (this.#ended || chunk.length === 0) return;
    this.#chunks.push({ stream, chunk });
    this.#bytes += chunk.length;
    if (!this.#paused && this.#bytes > highWaterBytes) this.#pause();
    this.#wakeReader();
  }

  /** Nothing more will come; what is queued is still delivered. Idempotent. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#stopStallTimer();
    this.#wakeReader();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk> {
    for (;;) {
      const next = this.#chunks.shift();
      if (next) {
        this.#bytes -= next.chunk.length;
        this.#resumeWhenLow();
        yield next;
      } else if (this.#ended) {
        if (this.#error) throw this.#error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #pause(): void {
    this.#paused = true;
    for (const source of this.#sources) source.pause();
    this.#startStallTimer();
  }

  #resumeWhenLow(): void {
    if (!this.#paused) return;
    this.#stopStallTimer();
    if (this.#bytes > highWaterBytes / 2) {
      this.#startStallTimer();
      return;
    }
    this.#paused = false;
    for (const source of this.#sources) source.resume();
  }

  #startStallTimer(): void {
    if (this.#stallMs !== undefined && !this.#ended) this.#stallTimer = setTimeout(this.#onStall, this.#stallMs);
  }

  #stopStallTimer(): void {
    clearTimeout(this.#stallTimer);
  }
}
