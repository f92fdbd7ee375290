import type { OutputChunk } from './output-queue.ts';

/** Live streams of a process. Without a terminal, output is tagged; with one, all of it is `stdout`. */
export interface ProcessStreams {
  /** Must be read: a reader that stops holds the process back. */
  readonly output: AsyncIterable<OutputChunk>;
  /** Writes to the process's stdin; resolves when it is on its way. A process that reads no more takes it silently. */
  write(chunk: Uint8Array): Promise<void>;
  /** EOF on the process's stdin, after what was written. */
  closeStdin(): void;
  /** Stops listening; the process goes on. Idempotent. */
  close(): void;
}

/** A further process in a container. */
export interface ExecProcess {
  readonly pid: number;
  readonly streams: ProcessStreams;
  readonly exited: Promise<number>;
  resize(rows: number, columns: number): Promise<void>;
}
