import { toBerthError } from '../../errors/index.ts';
import type { JsonMessage } from '../contract/index.ts';
import type { Exchange } from './exchange.ts';

/**
 * Progress as JSON lines. The headers go out with the first message: a failure before it is an HTTP error with its
 * own status, a later one a last line.
 */
export class JsonStream {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  emit(message: JsonMessage): void {
    if (this.#exchange.signal.aborted) return;
    if (!this.#exchange.started) this.#exchange.startStream('application/json');
    this.#exchange.writeNow(`${JSON.stringify(message)}\r\n`);
  }

  /** Runs what emits, and ends the stream in either way. */
  async run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#exchange.started || this.#exchange.signal.aborted) throw toBerthError(error);
      this.emit(errorLine(error));
    }
    if (!this.#exchange.started) this.#exchange.startStream('application/json');
    this.#exchange.end();
  }
}

/** Sends a sequence of messages at the client's speed. */
export async function sendMessages(exchange: Exchange, messages: AsyncIterable<JsonMessage>): Promise<void> {
  await new JsonStream(exchange).run(async () => {
    for await (const message of messages) {
      if (!exchange.started) exchange.startStream('application/json');
      await exchange.write(`${JSON.stringify(message)}\r\n`);
    }
  });
}

/** Sends bytes. A failure before the first chunk is an HTTP error, a later one cuts the connection. */
export async function sendBytes(
  exchange: Exchange,
  contentType: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const chunk of chunks) {
    if (!exchange.started) exchange.startStream(contentType);
    await exchange.write(chunk);
  }
  if (!exchange.started) exchange.startStream(contentType);
  exchange.end();
}

/** An error as one line of a JSON stream. */
function errorLine(error: unknown): JsonMessage {
  const { message, kind, hint } = toBerthError(error);
  return { error: message, errorDetail: { message, kind, ...(hint === undefined ? {} : { hint }) } };
}
