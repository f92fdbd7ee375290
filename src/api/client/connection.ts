import { connect, type Socket } from 'node:net';
import { BerthError } from '../../errors/index.ts';
import { type EngineAddress, parseHost } from './host.ts';
import { RequestRun } from './request-run.ts';
import { isStream, type WireAnswer, type WireRequest } from './wire.ts';

const IDLE_EVENTS = ['data', 'end', 'close', 'error'];

/** Connections to one engine. They are kept between requests and do not keep the process alive meanwhile. */
export class Connection {
  readonly #host: string;
  readonly #address: EngineAddress;
  /** Each with what drops it when the engine speaks or closes. */
  readonly #idle = new Map<Socket, () => void>();

  constructor(host: string) {
    this.#host = host;
    this.#address = parseHost(host);
  }

  /** @throws BerthError `unavailable`, `forbidden`, `cancelled`, `invalid` */
  async send(request: WireRequest): Promise<WireAnswer> {
    const upgrade = request.headers['Upgrade'] !== undefined;
    const head = formatHead(request, this.#hostHeader());
    for (;;) {
      const kept = upgrade ? undefined : this.#takeIdle();
      const run = new RequestRun(kept ?? this.#open(), request, this.#host, (socket) => this.#keep(socket));
      try {
        return await run.start(head);
      } catch (error) {
        // The engine may have closed a kept connection just now. Nothing came back, so nothing is done twice.
        const stale = kept !== undefined && !run.answered && !isStream(request.body) && !request.signal?.aborted;
        if (!stale) throw error;
      }
    }
  }

  /** Closes idle connections. */
  close(): void {
    for (const socket of this.#idle.keys()) socket.destroy();
  }

  #open(): Socket {
    const address = this.#address;
    return address.kind === 'unix'
      ? connect({ path: address.socketPath })
      : connect({ host: address.host, port: address.port, noDelay: true });
  }

  #takeIdle(): Socket | undefined {
    for (const [socket, drop] of this.#idle) {
      this.#idle.delete(socket);
      for (const event of IDLE_EVENTS) socket.off(event, drop);
      if (socket.readable && socket.writable) return socket.ref();
      socket.destroy();
    }
    return undefined;
  }

  #keep(socket: Socket): void {
    const drop = () => {
      this.#idle.delete(socket);
      socket.destroy();
    };
    this.#idle.set(socket, drop);
    for (const event of IDLE_EVENTS) socket.on(event, drop);
    socket.unref();
  }

  #hostHeader(): string {
    if (this.#address.kind === 'unix') return 'localhost';
    const { host, port } = this.#address;
    return `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
}

/** @throws BerthError `invalid` for what would end a line or the path early */
function formatHead({ method, path, headers, body }: WireRequest, host: string): string {
  if (!/^\/[\x21-\x7e]*$/.test(path))
    throw new BerthError('invalid', `not a path of the API: ${JSON.stringify(path.slice(0, 200))}`);
  const length = isStream(body)
    ? { 'Transfer-Encoding': 'chunked' }
    : { 'Content-Length': String(body === undefined ? 0 : Buffer.byteLength(body)) };
  const lines = Object.entries({ Host: host, ...headers, ...length }).map(([name, value]) => {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new BerthError('invalid', `the header ${name} has a character that is not allowed`);
    return `${name}: ${value}\r\n`;
  });
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
