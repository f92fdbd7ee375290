import type { AttachedStreams } from '../ports.ts';

export type OutputStream = 'stdout' | 'stderr';

/** Bytes of each stream that a process has written. */
export type OutputPosition = Readonly<Record<OutputStream, number>>;

export interface OutputListener {
  /** A returned promise holds the process back: only for processes that may be stalled by a reader. */
  deliver(stream: OutputStream, chunk: Buffer): Promise<void> | undefined;
  /** Nothing more will be delivered. */
  end(): void;
}

/**
 * One process's output, read once and given to every listener. It exists before the process does, so that who attaches
 * before the start misses nothing; and it is drained whether anybody listens or not, so that the process never stalls.
 */
export class OutputHub {
  readonly #listeners = new Set<OutputListener>();
  readonly #live = Promise.withResolvers<AttachedStreams | undefined>();
  readonly #finished = Promise.withResolvers<void>();
  #position: Record<OutputStream, number> | undefined;
  #streams: AttachedStreams | undefined;
  #isFinished = false;

  /** The process's streams, once it has some; undefined when it ended without. */
  get live(): Promise<AttachedStreams | undefined> {
    return this.#live.promise;
  }

  /** Resolves when the last byte has been delivered. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** What has been delivered so far; undefined when the process was found running and its beginning was not seen. */
  get position(): OutputPosition | undefined {
    return this.#position && { ...this.#position };
  }

  /** @returns stops the deliveries; idempotent */
  listen(listener: OutputListener): () => void {
    if (this.#isFinished) listener.end();
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the streams to their end. Resolves also when they break: the process goes on without being heard. */
  async drain(streams: AttachedStreams, fromFirstByte: boolean): Promise<void> {
    if (fromFirstByte) this.#position = { stdout: 0, stderr: 0 };
    this.#streams = streams;
    this.#live.resolve(streams);
    try {
      for await (const { stream, chunk } of streams.output) {
        if (this.#position) this.#position[stream] += chunk.length;
        const stalled = [...this.#listeners].flatMap((listener) => listener.deliver(stream, chunk) ?? []);
        if (stalled.length > 0) await Promise.all(stalled);
      }
    } catch {
      // The log still has everything; an exit is noticed by other means.
    }
  }

  /** The process is gone and its output complete: ends every listener. Idempotent. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#live.resolve(undefined);
    this.#streams?.close();
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
    this.#finished.resolve();
  }
}
