import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP forwarder that counts what passes, in both directions. */
export class CountingForwarder {
  /** Bytes from clients to the target. */
  sent = 0;
  /** Bytes from the target to clients. */
  received = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, host: string) {
    this.#server = createServer((client) => {
      const target = connect(port, host);
      for (const socket of [client, target]) {
        this.#sockets.add(socket);
        socket
          .on('error', () => {})
          .once('close', () => {
            this.#sockets.delete(socket);
            // Whoever is left has nobody to talk to.
            client.destroy();
            target.destroy();
          });
      }
      client.on('data', (chunk) => {
        this.sent += chunk.length;
      });
      target.on('data', (chunk) => {
        this.received += chunk.length;
      });
      client.pipe(target).pipe(client);
    });
  }

  /** @param target `host:port` */
  static async start(target: string): Promise<CountingForwarder> {
    const [host = '', port = ''] = target.split(':');
    const forwarder = new CountingForwarder(Number(port), host);
    await new Promise<void>((resolve) => forwarder.#server.listen(0, '127.0.0.1', resolve));
    return forwarder;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get total(): number {
    return this.sent + this.received;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
