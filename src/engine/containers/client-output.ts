import type { Duplex } from 'node:stream';
import { encodeFrame } from '../../api/contract/index.ts';
import type { LogEntry } from '../ports.ts';
import type { OutputHub, OutputListener, OutputPosition, OutputStream } from './output-hub.ts';

/** Output that may wait in memory for one client. */
export const CLIENT_QUEUE_BYTES = 1024 * 1024;

export interface ClientOutputOptions {
  readonly tty: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** What is sent before anything live. With `whole` it holds all that will ever come, and live output is left out. */
  readonly replay?: { readonly entries: AsyncIterable<LogEntry>; readonly whole: boolean };
  /**
   * Everything after a position, to the end, from the log: for a client that is too slow for its queue. Without it the
   * process is held back instead.
   */
  readonly catchUp?: (from: OutputPosition, signal: AbortSignal) => AsyncIterable<LogEntry>;
}

/**
 * Output on its way to one client. Its queue is bounded, yet a slow client loses nothing: once it is behind by more than
 * the queue holds, it is served from the container's log instead, at its own pace.
 */
export class ClientOutput implements OutputListener {
  readonly #options: ClientOutputOptions;
  readonly #hub: OutputHub;
  readonly #stopListening: () => void;
  readonly #done = Promise.withResolvers<void>();
  readonly #closing = new AbortController();
  readonly #connected = Promise.withResolvers<void>();
  #connection: Duplex | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #isLive = false;
  #behind: AsyncIterable<LogEntry> | undefined;
  #ended = false;

  constructor(hub: OutputHub, options: ClientOutputOptions) {
    this.#options = options;
    this.#hub = hub;
    this.#stopListening = options.replay?.whole ? () => undefined : hub.listen(this);
  }

  /** Resolves when everything has been handed to the connection, or the client was closed. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  deliver(stream: OutputStream, chunk: Buffer): Promise<void> | undefined {
    if (this.#behind || this.#closing.signal.aborted || !this.#options[stream]) return undefined;
    const bytes = this.#options.tty ? chunk : encodeFrame(stream, chunk);
    if (this.#connection && this.#isLive) this.#connection.write(bytes);
    else {
      this.#pending.push(bytes);
      this.#pendingBytes += bytes.length;
    }
    const queued = this.#isLive ? (this.#connection?.writableLength ?? 0) : this.#pendingBytes;
    return queued > CLIENT_QUEUE_BYTES ? this.#overflow() : undefined;
  }

  end(): void {
    this.#ended = true;
    if (this.#isLive && !this.#behind) this.#finish();
  }

  /** Sends what is waiting and everything that follows. */
  connect(connection: Duplex): void {
    this.#connection = connection;
    this.#serve(connection).then(
      () => undefined,
      () => connection.destroy(),
    );
  }

  /** Stops sending. Idempotent. */
  close(): void {
    this.#stopListening();
    this.#pending = [];
    this.#closing.abort();
    this.#finish();
  }

  async #serve(connection: Duplex): Promise<void> {
    const { replay } = this.#options;
    if (replay) await this.#copy(connection, replay.entries);
    for (const bytes of this.#pending) connection.write(bytes);
    this.#pending = [];
    this.#isLive = true;
    this.#connected.resolve();
    if (this.#behind) await this.#follow(connection, this.#behind);
    else if (this.#ended || replay?.whole) this.#finish();
  }

  #overflow(): Promise<void> | undefined {
    const connection = this.#connection;
    if (!this.#options.catchUp) return connection && this.#isLive ? drained(connection) : this.#connected.promise;
    const from = this.#hub.position;
    if (!from) this.close();
    else {
      this.#behind = this.#options.catchUp(from, this.#closing.signal);
      if (connection && this.#isLive) this.#follow(connection, this.#behind).catch(() => connection.destroy());
    }
    return undefined;
  }

  async #follow(connection: Duplex, entries: AsyncIterable<LogEntry>): Promise<void> {
    await drained(connection);
    await this.#copy(connection, entries);
    this.#finish();
  }

  async #copy(connection: Duplex, entries: AsyncIterable<LogEntry>): Promise<void> {
    for await (const { stream, line } of entries) {
      if (this.#closing.signal.aborted || connection.destroyed) return;
      if (!this.#options[stream]) continue;
      connection.write(this.#options.tty ? line : encodeFrame(stream, line));
      if (connection.writableNeedDrain) await drained(connection);
    }
  }

  #finish(): void {
    this.#stopListening();
    this.#connected.resolve();
    this.#done.resolve();
  }
}

/** Resolves when a connection takes more, or is gone. */
function drained(connection: Duplex): Promise<void> {
  if (!connection.writableNeedDrain || connection.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = () => {
      connection.off('drain', settle).off('close', settle).off('error', settle);
      resolve();
    };
    connection.on('drain', settle).on('close', settle).on('error', settle);
  });
}
