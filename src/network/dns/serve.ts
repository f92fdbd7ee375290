import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { FrameReader, frame } from './frames.ts';
import { Resolver, type ResolverOptions, type Transport } from './resolver.ts';

export interface DnsOptions extends ResolverOptions {
  /** A bound datagram socket. It may belong to another network namespace: sockets stay where they were made. */
  readonly udpFd: number;
  /** A bound stream socket that does not listen yet. */
  readonly tcpFd: number;
  /** Ends the service: sockets are closed, questions under way forgotten. */
  readonly signal: AbortSignal;
}

/** Questions of one container that are not answered yet, those that wait for the same answer included. */
const MAX_WAITING = 1024;
const MAX_CONNECTIONS = 64;
const IDLE_MS = 10_000;
/** Answers that a client did not take; then it is no client any more. */
const MAX_UNREAD_BYTES = 256 * 1024;

/**
 * Serves the names of one container's networks on sockets inside of its namespace, until the signal. The sockets belong
 * to the service from here on, whether it comes to be or not.
 * @throws the error of a socket that cannot be served on
 */
export async function serveDns({ udpFd, tcpFd, signal, ...options }: DnsOptions): Promise<void> {
  signal.throwIfAborted();
  const resolver = new Resolver(options);
  const waiting = new Waiting(resolver);
  const udp = createSocket('udp4');
  const connections = new Set<Socket>();
  const tcp = createServer({ noDelay: true }, (socket) => serveConnection(socket, connections, waiting));
  tcp.maxConnections = MAX_CONNECTIONS;
  serveDatagrams(udp, waiting);
  const end = () => {
    resolver.close();
    closeQuietly(udp);
    tcp.close();
    for (const socket of connections) socket.destroy();
  };
  try {
    await Promise.all([listening(udp, () => udp.bind({ fd: udpFd })), listening(tcp, () => tcp.listen({ fd: tcpFd }))]);
    signal.throwIfAborted();
  } catch (error) {
    end();
    throw error;
  }
  // What befalls a socket later is answered by silence, as lost packets are.
  udp.on('error', () => undefined);
  tcp.on('error', () => undefined);
  signal.addEventListener('abort', end, { once: true });
}

/** Hands questions to the resolver, no more than so many at once. */
class Waiting {
  readonly #resolver: Resolver;
  #count = 0;

  constructor(resolver: Resolver) {
    this.#resolver = resolver;
  }

  ask(bytes: Buffer, transport: Transport, reply: (answer: Buffer) => void): void {
    if (this.#count >= MAX_WAITING) return;
    const answer = this.#resolver.answer(bytes, transport);
    if (answer === undefined) return;
    if (!(answer instanceof Promise)) {
      reply(answer);
      return;
    }
    this.#count += 1;
    answer
      .then(reply)
      .catch(() => undefined)
      .finally(() => {
        this.#count -= 1;
      });
  }
}

function serveDatagrams(udp: UdpSocket, waiting: Waiting): void {
  udp.on('message', (bytes, { address, port }) => {
    waiting.ask(bytes, 'udp', (answer) => {
      try {
        // The callback takes the error of a client that is gone.
        udp.send(answer, port, address, () => undefined);
      } catch {
        // The service ended meanwhile.
      }
    });
  });
}

function serveConnection(socket: Socket, connections: Set<Socket>, waiting: Waiting): void {
  const reader = new FrameReader();
  connections.add(socket);
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on('error', () => undefined);
  socket.on('close', () => connections.delete(socket));
  socket.on('data', (chunk) => {
    for (const question of reader.push(chunk)) {
      waiting.ask(question, 'tcp', (answer) => {
        if (!socket.writable) return;
        socket.write(frame(answer));
        if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
      });
    }
  });
}

async function listening(socket: UdpSocket | Server, listen: () => void): Promise<void> {
  const ready = once(socket, 'listening');
  try {
    listen();
  } catch (error) {
    socket.emit('error', error);
  }
  await ready;
}

function closeQuietly(udp: UdpSocket): void {
  try {
    udp.close();
  } catch {
    // It never was open.
  }
}
