import { createSocket, type Socket } from 'node:dgram';
import { Socket as TcpSocket } from 'node:net';
import { call } from '../../../src/linux/index.ts';
import { decodeMessage } from '../../../src/network/dns/decode.ts';
import { encodeMessage } from '../../../src/network/dns/encode.ts';
import { FrameReader, frame } from '../../../src/network/dns/frames.ts';
import { type Message, rcodes, replyTo } from '../../../src/network/dns/message.ts';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const ASK_AGAIN_MS = 1000;

/** Sockets of a program in a container, when these are called inside of its namespace. */
export function datagramSocket(ip: readonly number[], port: number): number {
  const fd = call('int socket(int, int, int)', AF_INET, SOCK_DGRAM, 0);
  call('int bind(int, const void*, uint32_t)', fd, socketAddress(ip, port), 16);
  return fd;
}

export function resolverConnection(): number {
  const fd = call('int socket(int, int, int)', AF_INET, SOCK_STREAM, 0);
  call('int connect(int, const void*, uint32_t)', fd, socketAddress([127, 0, 0, 11], 53), 16);
  return fd;
}

function socketAddress(ip: readonly number[], port: number): Buffer {
  return Buffer.from([AF_INET, 0, port >> 8, port & 255, ...ip, ...Array(8).fill(0)]);
}

export function question(name: string, type: number, more: Partial<Message> = {}): Message {
  const query = { id: 0, opcode: 0, recursionDesired: true, checkingDisabled: false };
  return {
    ...replyTo(query as Message, rcodes.noError),
    response: false,
    recursionAvailable: false,
    questions: [{ name, type, class: 1 }],
    ...more,
  };
}

/** Asks the resolver of the namespace in which its socket was made. */
export class DnsClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: Message) => void>();
  readonly #open = new Set<Promise<Message>>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #id = 0;

  constructor(fd: number) {
    this.#socket = createSocket('udp4');
    this.#socket.bind({ fd });
    this.#socket.on('message', (bytes, { address, port }) => {
      const answer = decodeMessage(bytes);
      // Whoever asks 127.0.0.11:53 must be answered from there, or the C library drops it.
      if (!answer || address !== '127.0.0.11' || port !== 53) return;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  ask(name: string, type: number, more?: Partial<Message>): Promise<Message> {
    this.#id = (this.#id + 1) & 0xffff;
    const query = question(name, type, { ...more, id: this.#id });
    const answered = new Promise<Message>((resolve) => {
      this.#waiting.set(query.id, resolve);
      this.send(encodeMessage(query));
    });
    // Datagrams get lost when the receiver has no room: then one asks again, as the C library does.
    const again = setInterval(() => this.send(encodeMessage(query)), ASK_AGAIN_MS);
    this.#timers.add(again);
    this.#open.add(answered);
    return answered.finally(() => {
      clearInterval(again);
      this.#open.delete(answered);
    });
  }

  /** Resolves when nothing that was asked is open. */
  async idle(): Promise<void> {
    await Promise.all(this.#open);
  }

  send(bytes: Buffer): void {
    this.#socket.send(bytes, 53, '127.0.0.11');
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#socket.close();
  }
}

/** Asks everything at once on one connection; answers by id, which is the place in the list. */
export async function askOverTcp(fd: number, queries: readonly Message[]): Promise<ReadonlyMap<number, Message>> {
  const socket = new TcpSocket({ fd, readable: true, writable: true });
  const reader = new FrameReader();
  const answers = new Map<number, Message>();
  socket.write(Buffer.concat(queries.map((query, id) => frame(encodeMessage({ ...query, id })))));
  for await (const chunk of socket) {
    for (const bytes of reader.push(chunk as Buffer)) {
      const answer = decodeMessage(bytes)!;
      answers.set(answer.id, answer);
    }
    if (answers.size === queries.length) break;
  }
  return answers;
}
