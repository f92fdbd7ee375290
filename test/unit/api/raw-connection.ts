import { connect, type Socket } from 'node:net';

/** A connection that speaks bytes: for what no HTTP client would send. */
export class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  readonly #waiting = new Set<() => void>();

  constructor(target: string | number) {
    const options = typeof target === 'string' ? { path: target } : { port: target, host: '127.0.0.1' };
    this.socket = connect({ ...options, allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    for (const event of ['end', 'close', 'error']) {
      this.socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  send(...lines: readonly string[]): void {
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  get text(): string {
    return this.#received.toString('latin1');
  }

  get bytes(): Buffer {
    return this.#received;
  }

  /** Bytes after the first empty line. */
  get body(): Buffer {
    const at = this.#received.indexOf('\r\n\r\n');
    return at < 0 ? Buffer.alloc(0) : this.#received.subarray(at + 4);
  }

  /** Resolves when the text has come, rejects when the connection ends before. */
  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.#ended)
        throw new Error(`the connection ended before ${JSON.stringify(text)}: ${JSON.stringify(this.text)}`);
      await this.#change();
    }
  }

  async ended(): Promise<string> {
    while (!this.#ended) await this.#change();
    return this.text;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
