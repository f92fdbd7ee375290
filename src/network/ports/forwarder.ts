import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';

/** Where a forwarder sends what it gets. */
export interface ForwardTarget {
  readonly ip: string;
  readonly port: number;
}

/** Asked for each connection: containers move between networks. Undefined while there is nowhere to go. */
export type FindTarget = () => ForwardTarget | undefined;

/** A socket of the host that holds a port, and passes on what the kernel's rules did not already lead to the container. */
export interface Forwarder {
  /** Idempotent. Connections end. */
  close(): void;
}

/**
 * Holds a TCP port. The rules lead nearly all connections past it; it serves those that they cannot: to `::1`, and over
 * IPv6 to a container without an IPv6 address.
 * @throws the error of `listen` (`EADDRINUSE`)
 */
export async function forwardTcp(hostIp: string, port: number, find: FindTarget): Promise<Forwarder> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
    const target = find();
    if (!target) {
      client.destroy();
      return;
    }
    const container = connect({ host: target.ip, port: target.port, allowHalfOpen: true, noDelay: true });
    join(client, container, open);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: hostIp, port, exclusive: true, ipv6Only: true }, resolve);
  });
  server.removeAllListeners('error');
  // Connections that failed before they were accepted are the client's business.
  server.on('error', () => undefined);
  server.unref();
  return {
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function join(client: Socket, container: Socket, open: Set<Socket>): void {
  for (const [from, to] of [
    [client, container],
    [container, client],
  ] as const) {
    open.add(from);
    from.on('error', () => to.destroy());
    from.on('close', (failed) => {
      open.delete(from);
      if (failed) to.destroy();
    });
    from.pipe(to);
  }
}

/** How long the answers of a container still find their way back to a client that is silent. */
const UDP_SESSION_MS = 60_000;
const MOST_UDP_SESSIONS = 1024;

/** As `forwardTcp`, for datagrams: each client gets a socket of its own, until it was silent for a minute. */
export async function forwardUdp(hostIp: string, port: number, find: FindTarget): Promise<Forwarder> {
  const family = (ip: string) => (ip.includes(':') ? 'udp6' : 'udp4');
  const server = createSocket({ type: family(hostIp), ipv6Only: hostIp.includes(':') });
  const sessions = new Map<string, { readonly socket: UdpSocket; readonly timer: NodeJS.Timeout }>();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.bind({ address: hostIp, port, exclusive: true }, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', () => undefined);
  const sessionOf = (client: RemoteInfo, target: ForwardTarget): UdpSocket => {
    const key = `${client.address} ${client.port}`;
    const known = sessions.get(key);
    if (known) {
      known.timer.refresh();
      return known.socket;
    }
    const socket = createSocket(family(target.ip));
    const end = () => {
      if (!sessions.delete(key)) return;
      clearTimeout(timer);
      socket.close();
    };
    const timer = setTimeout(end, UDP_SESSION_MS).unref();
    sessions.set(key, { socket, timer });
    socket.on('error', end);
    socket.on('message', (answer) => {
      timer.refresh();
      server.send(answer, client.port, client.address);
    });
    return socket.unref();
  };
  server.on('message', (message, client) => {
    const target = find();
    if (target && (sessions.size < MOST_UDP_SESSIONS || sessions.has(`${client.address} ${client.port}`))) {
      sessionOf(client, target).send(message, target.port, target.ip);
    }
  });
  server.unref();
  return {
    close() {
      server.close();
      for (const { socket, timer } of sessions.values()) {
        clearTimeout(timer);
        socket.close();
      }
      sessions.clear();
    },
  };
}
