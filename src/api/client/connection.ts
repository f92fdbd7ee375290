import type { Agent, ClientRequest, RequestOptions as HttpOptions, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { connectFailure } from './failure.ts';
import { type EngineAddress, parseHost } from './host.ts';

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal: AbortSignal | undefined;
}

export type WireAnswer =
  | { readonly kind: 'response'; readonly response: IncomingMessage }
  | { readonly kind: 'upgrade'; readonly response: IncomingMessage; readonly socket: Socket; readonly head: Buffer };

/** The HTTP side of a client: one engine, connections kept between requests. `node:http` is loaded at the first use. */
export class Connection {
  readonly #host: string;
  readonly #address: EngineAddress;
  #agent: Agent | undefined;

  constructor(host: string) {
    this.#host = host;
    this.#address = parseHost(host);
  }

  /** @throws BerthError `unavailable`, `forbidden`, `cancelled` */
  async send(request: WireRequest): Promise<WireAnswer> {
    // An `import` of it would load every export, WebSocket and its 25 ms among them.
    const http = process.getBuiltinModule('node:http');
    this.#agent ??= new http.Agent({ keepAlive: true });
    const upgrade = request.headers['Upgrade'] !== undefined;
    const options: HttpOptions = {
      ...this.#target(),
      method: request.method,
      path: request.path,
      headers: { Host: this.#hostHeader(), ...request.headers, ...lengthHeader(request.body) },
      // A connection that becomes a stream is nobody else's afterwards.
      agent: upgrade ? false : this.#agent,
      ...(request.signal ? { signal: request.signal } : {}),
    };
    return await new Promise<WireAnswer>((resolve, reject) => {
      const message = http.request(options);
      const fail = (cause: unknown) => reject(connectFailure(cause, this.#host));
      message.on('response', (response) => resolve({ kind: 'response', response }));
      message.on('upgrade', (response, socket, head) =>
        resolve({ kind: 'upgrade', response, socket: socket as Socket, head }),
      );
      message.on('error', (cause: NodeJS.ErrnoException) => {
        const stale = message.reusedSocket && cause.code === 'ECONNRESET' && !isStream(request.body);
        if (stale) this.send(request).then(resolve, reject);
        else fail(cause);
      });
      sendBody(message, request.body).catch((cause: unknown) => {
        message.destroy();
        fail(cause);
      });
    });
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent?.destroy();
  }

  #target(): HttpOptions {
    return this.#address.kind === 'unix'
      ? { socketPath: this.#address.socketPath }
      : { host: this.#address.host, port: this.#address.port };
  }

  #hostHeader(): string {
    if (this.#address.kind === 'unix') return 'localhost';
    const { host, port } = this.#address;
    return `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
}

function isStream(body: WireRequest['body']): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body;
}

function lengthHeader(body: WireRequest['body']): Record<string, string> {
  if (isStream(body)) return { 'Transfer-Encoding': 'chunked' };
  return { 'Content-Length': String(body === undefined ? 0 : Buffer.byteLength(body)) };
}

/** An engine may answer before it has read everything: then the rest of the body is not its business any more. */
async function sendBody(message: ClientRequest, body: WireRequest['body']): Promise<void> {
  if (!isStream(body)) {
    message.end(body);
    return;
  }
  for await (const chunk of body) {
    if (message.destroyed) return;
    if (!message.write(chunk)) await drained(message);
  }
  message.end();
}

async function drained(message: ClientRequest): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      message.off('drain', done).off('close', done);
      resolve();
    };
    message.on('drain', done).on('close', done);
  });
}
