import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { BerthError } from '../../errors/index.ts';
import { type ApiVersion, atLeast, type ErrorBody, STATUS_OF_KIND, streamContentType } from '../contract/index.ts';
import { bodyStream, readBody } from './body.ts';
import type { Transport } from './guard.ts';
import { takeFromParser } from './hijack.ts';
import type { Query } from './query.ts';

/** What may wait for a client that does not read, as a build log in a stopped pager. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

export interface ExchangeParts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly transport: Transport;
  /** Aborted when the client has gone or the server closes. */
  readonly gone: AbortController;
  readonly commonHeaders: Readonly<Record<string, string>>;
  /** Set when the client asked for an upgrade: the first bytes after the headers. */
  readonly upgradeHead: Buffer | undefined;
}

export interface Target {
  readonly version: ApiVersion;
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: Query;
}

/** One request and its answer. Route handlers see nothing else of HTTP. */
export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #target: Target;
  #upgradeHead: Buffer | undefined;
  #bodyRead = false;

  constructor(parts: ExchangeParts, target: Target) {
    this.#parts = parts;
    this.#target = target;
    this.#upgradeHead = parts.upgradeHead;
  }

  get version(): ApiVersion {
    return this.#target.version;
  }

  get query(): Query {
    return this.#target.query;
  }

  /** Fires when the client has gone or the server closes. */
  get signal(): AbortSignal {
    return this.#parts.gone.signal;
  }

  get transport(): Transport {
    return this.#parts.transport;
  }

  param(name: string): string {
    return this.#target.params[name] ?? '';
  }

  header(name: string): string | undefined {
    const value = this.#parts.request.headers[name];
    return typeof value === 'string' ? value : value?.join(', ');
  }

  body(): AsyncIterable<Uint8Array> {
    this.#bodyRead = true;
    return bodyStream(this.#parts.request);
  }

  async bytes(): Promise<Buffer> {
    this.#bodyRead = true;
    const { body, rest } = await readBody(this.#parts.request, this.#upgradeHead);
    if (this.#upgradeHead !== undefined) this.#upgradeHead = rest;
    return body;
  }

  /** The JSON body, undefined when it is empty. @throws BerthError `invalid` */
  async json(): Promise<unknown> {
    const bytes = await this.bytes();
    if (bytes.length === 0) return undefined;
    const type = this.header('content-type') ?? '';
    if (type !== '' && !/^application\/json\s*(;|$)/i.test(type)) {
      throw new BerthError(
        'invalid',
        `unsupported Content-Type header (${type.slice(0, 100)}): must be 'application/json'`,
      );
    }
    try {
      return JSON.parse(bytes.toString('utf8'));
    } catch (cause) {
      throw new BerthError('invalid', `invalid JSON: ${(cause as Error).message}`, { cause });
    }
  }

  sendJson(status: number, value: unknown): void {
    this.#send(status, 'application/json', `${JSON.stringify(value)}\n`);
  }

  sendText(status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
    for (const [name, value] of Object.entries(headers)) this.#parts.response.setHeader(name, value);
    this.#send(status, 'text/plain; charset=utf-8', text);
  }

  sendEmpty(status: number): void {
    this.#parts.response.writeHead(status).end();
  }

  sendError(error: BerthError): void {
    const { response } = this.#parts;
    if (response.destroyed || response.writableEnded) return;
    if (response.headersSent) {
      // Nothing can be taken back: a cut connection is the only honest end of a stream that failed.
      response.destroy();
      return;
    }
    const status = STATUS_OF_KIND[error.kind];
    if (status === 304) {
      this.sendEmpty(status);
      return;
    }
    const body: ErrorBody = { message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
    this.sendJson(status, body);
  }

  /** Sends the headers now; the body follows by `write`, at the client's speed. */
  startStream(contentType: string): void {
    const { response } = this.#parts;
    response.writeHead(200, { 'Content-Type': contentType });
    response.flushHeaders();
  }

  get started(): boolean {
    return this.#parts.response.headersSent;
  }

  /** Resolves when the client can take more. @throws AbortError when it has gone */
  async write(chunk: Uint8Array | string): Promise<void> {
    this.signal.throwIfAborted();
    if (this.writeNow(chunk)) return;
    await new Promise<void>((resolve) => {
      const { response } = this.#parts;
      const done = () => {
        response.off('drain', done);
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      response.on('drain', done);
      this.signal.addEventListener('abort', done);
    });
    this.signal.throwIfAborted();
  }

  /** Writes without waiting; drops a client that has stopped reading. @returns false when the client is slow */
  writeNow(chunk: Uint8Array | string): boolean {
    const { response } = this.#parts;
    if (response.writableLength > MAX_QUEUED_BYTES) response.destroy();
    return response.destroyed || response.write(chunk);
  }

  end(): void {
    this.#parts.response.end();
  }

  /**
   * Keeps what the client sends next for `hijack`. Call it when the body is read and before anything is awaited:
   * without an upgrade, the HTTP parser would take the stream's bytes for a next request.
   */
  holdConnection(): void {
    if (this.#upgradeHead === undefined) takeFromParser(this.#parts.request.socket);
  }

  /** Turns the connection into a raw duplex stream. The caller ends it; it is destroyed when the client goes. */
  hijack(tty: boolean): Duplex {
    const { request, response, commonHeaders, gone } = this.#parts;
    const { socket } = request;
    socket.once('close', () => gone.abort());
    const upgraded = this.#upgradeHead !== undefined;
    response.detachSocket(socket);
    const lines = [
      upgraded ? 'HTTP/1.1 101 UPGRADED' : 'HTTP/1.1 200 OK',
      `Content-Type: ${streamContentType(tty, atLeast(this.version, '1.42'))}`,
      ...(upgraded ? ['Connection: Upgrade', 'Upgrade: tcp'] : []),
      ...Object.entries(commonHeaders).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    if (this.#upgradeHead?.length) socket.unshift(this.#upgradeHead);
    return socket;
  }

  /** Reads what is left of the request, so that the answer is not lost in a connection reset. */
  drain(): void {
    if (this.#bodyRead && !this.#parts.request.complete) this.#parts.request.resume();
  }

  #send(status: number, contentType: string, text: string): void {
    const body = Buffer.from(text, 'utf8');
    this.#parts.response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': body.length });
    this.#parts.response.end(this.#parts.request.method === 'HEAD' ? undefined : body);
  }
}
