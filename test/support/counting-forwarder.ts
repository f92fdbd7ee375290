import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { call } from '../../src/linux/index.ts';

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
/** What waits here for a client was counted, but is not on its wire yet: it is kept little. */
const WAITING = 64 * 1024;

/** A TCP forwarder that counts what passes, in both directions, and can act the moment a count is reached. */
export class CountingForwarder {
  /** Bytes from clients to the target. */
  sent = 0;
  /** Bytes from the target to clients. */
  received = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #mark: { readonly bytes: number; readonly action: () => void } | undefined;

  private constructor(port: number, host: string) {
    this.#server = createServer((client) => {
      const target = connect(port, host);
      limitSendBuffer(client);
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
        this.#counted();
      });
      target.on('data', (chunk) => {
        this.received += chunk.length;
        this.#counted();
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

  /**
   * Acts once, when the total comes to `bytes`, before anything more is read. One at a time.
   * @returns takes it back; false when it had acted already
   */
  at(bytes: number, action: () => void): () => boolean {
    const mark = { bytes, action };
    this.#mark = mark;
    return () => {
      const isPending = this.#mark === mark;
      if (isPending) this.#mark = undefined;
      return isPending;
    };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #counted(): void {
    const mark = this.#mark;
    if (mark === undefined || this.total < mark.bytes) return;
    this.#mark = undefined;
    mark.action();
  }
}

function limitSendBuffer(socket: Socket): void {
  const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const value = Buffer.alloc(4);
  value.writeInt32LE(WAITING);
  call('int setsockopt(int, int, int, const void *, uint32_t)', fd, SOL_SOCKET, SO_SNDBUF, value, value.length);
}
