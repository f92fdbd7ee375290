import {
  createServer,
  type IncomingMessage,
  request as requestHttp,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** An HTTP proxy that leads every name to one address. */
export class FakeProxy {
  /** `CONNECT host:port`, or the URL of a plain request; with the password that came, if any. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  private constructor(target: string) {
    const [host = '', port = ''] = target.split(':');
    this.#server = createServer((request: IncomingMessage, response: ServerResponse) => {
      this.#note(request, request.url ?? '');
      const { pathname, search } = new URL(request.url ?? '');
      const { method } = request;
      const { 'proxy-authorization': _own, ...headers } = request.headers;
      const onward = requestHttp({ host, port, path: pathname + search, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    this.#server.on('connect', (request: IncomingMessage, client: Duplex) => {
      this.#note(request, `CONNECT ${request.url}`);
      const server: Socket = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        client.pipe(server).pipe(client);
      });
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
      }
    });
  }

  /** @param target `host:port` */
  static async start(target: string): Promise<FakeProxy> {
    const proxy = new FakeProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #note({ headers }: IncomingMessage, what: string): void {
    const basic = headers['proxy-authorization']?.replace('Basic ', '');
    const user = basic === undefined ? '' : ` as ${Buffer.from(basic, 'base64').toString('utf8')}`;
    this.requests.push(`${what}${user}`);
  }
}
