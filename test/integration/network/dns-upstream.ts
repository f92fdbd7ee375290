import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { decodeMessage } from '../../../src/network/dns/decode.ts';
import { encodeMessage } from '../../../src/network/dns/encode.ts';
import { FrameReader, frame } from '../../../src/network/dns/frames.ts';
import { type Message, rcodes, replyTo, types } from '../../../src/network/dns/message.ts';

export type Transport = 'udp' | 'tcp';

/** A name server of the outside world, on the host's loopback. */
export class OutsideServer implements AsyncDisposable {
  /** What it was asked, and how. */
  readonly asked: {
    readonly name: string;
    readonly transport: Transport;
    readonly id: number;
    readonly port: number;
  }[] = [];
  readonly #udp = createSocket('udp4');
  readonly #tcp = createServer((socket) => this.#serve(socket));
  readonly #open = new Set<Socket>();
  readonly #reply: (query: Message, transport: Transport) => readonly Message[];

  private constructor(reply: (query: Message, transport: Transport) => readonly Message[]) {
    this.#reply = reply;
    this.#udp.on('message', (bytes, { address, port }) => {
      for (const answer of this.#answers(bytes, 'udp', port)) this.#udp.send(answer, port, address);
    });
  }

  /** @param reply the messages that it sends back, in order */
  static async start(reply: (query: Message, transport: Transport) => readonly Message[]): Promise<OutsideServer> {
    const server = new OutsideServer(reply);
    for (;;) {
      server.#tcp.listen(0, '127.0.0.1');
      await once(server.#tcp, 'listening');
      try {
        server.#udp.bind(server.#port, '127.0.0.1');
        await once(server.#udp, 'listening');
        return server;
      } catch {
        server.#tcp.close();
      }
    }
  }

  /** As `--dns` takes it. */
  get address(): string {
    return `127.0.0.1#${this.#port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#udp.close();
    for (const socket of this.#open) socket.destroy();
    this.#tcp.close();
    await once(this.#tcp, 'close');
  }

  get #port(): number {
    return (this.#tcp.address() as AddressInfo).port;
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    const reader = new FrameReader();
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const port = socket.remotePort ?? 0;
      for (const bytes of reader.push(chunk)) {
        for (const answer of this.#answers(bytes, 'tcp', port)) socket.write(frame(answer));
      }
    });
  }

  #answers(bytes: Buffer, transport: Transport, port: number): readonly Buffer[] {
    const query = decodeMessage(bytes);
    if (!query) return [];
    this.asked.push({ name: query.questions[0]?.name ?? '', transport, id: query.id, port });
    return this.#reply(query, transport).map((message) => encodeMessage(message));
  }
}

/** An answer with addresses. */
export function addressReply(query: Message, addresses: readonly string[], ttl = 60): Message {
  const name = query.questions[0]?.name ?? '';
  const answers = addresses.map((address) => ({
    name,
    type: types.A,
    class: 1,
    ttl,
    data: Buffer.from(address.split('.').map(Number)),
  }));
  return { ...replyTo(query, rcodes.noError), answers };
}
