import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { API_VERSION } from '../contract/index.ts';
import { Dispatcher } from './dispatch.ts';
import type { Transport } from './guard.ts';
import { closeGently } from './hijack.ts';
import { listenTcp, listenUnix, type TcpAddress, type UnixAddress } from './listen.ts';
import type { Services } from './ports.ts';
import { createRouter } from './router.ts';
import { buildRoutes } from './routes/build.ts';
import { containerResourceRoutes } from './routes/container-resources.ts';
import { containerStreamRoutes } from './routes/container-streams.ts';
import { containerRoutes } from './routes/containers.ts';
import { execRoutes } from './routes/execs.ts';
import { imageRoutes } from './routes/images.ts';
import { networkRoutes } from './routes/networks.ts';
import { registryRoutes } from './routes/registries.ts';
import { systemRoutes } from './routes/system.ts';
import { usageRoutes } from './routes/usage.ts';
import { volumeRoutes } from './routes/volumes.ts';

/** An `import` of it would load every export, WebSocket and its 25 ms among them. */
const { createServer, ServerResponse } = process.getBuiltinModule('node:http');

const CLOSE_GRACE_MS = 2_000;
/** A client that has connected asks within this time. */
const QUIET_MS = 100;
const QUIET_STEP_MS = 5;

export interface ApiServerOptions extends Services {
  /** Told the number of requests in flight whenever it changes: an engine leaves when it was 0 for long. */
  readonly onActivity?: (active: number) => void;
}

export interface ApiServer {
  listenUnix(address: UnixAddress): Promise<void>;
  /** @returns the port */
  listenTcp(address: TcpAddress): Promise<number>;
  /** Requests in flight, attached streams included. Open connections without a request do not count. */
  readonly activeRequests: number;
  /**
   * Stops listening, aborts what is in flight and resolves when all connections are closed. Idempotent.
   * @param options.drain serve those who have connected already to their end
   */
  close(options?: { readonly drain?: boolean }): Promise<void>;
}

/** Serves the Engine API. Addresses are added by `listenUnix` and `listenTcp`. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const router = createRouter({
    ...systemRoutes(options),
    ...usageRoutes(options),
    ...containerRoutes(options),
    ...containerResourceRoutes(options),
    ...containerStreamRoutes(options),
    ...execRoutes(options),
    ...imageRoutes(options),
    ...volumeRoutes(options),
    ...networkRoutes(options),
    ...registryRoutes(options),
    ...buildRoutes(options),
  });
  const { version, experimental } = options.system.facts;
  const commonHeaders = {
    'Api-Version': API_VERSION,
    'Builder-Version': '1',
    'Docker-Experimental': String(experimental),
    Ostype: 'linux',
    Server: `Docker/${version} (linux)`,
  };
  const dispatcher = new Dispatcher({ router, commonHeaders, log: options.log, onActivity: options.onActivity });
  const servers: Server[] = [];
  const cleanups: (() => Promise<void>)[] = [];
  const connections = new Set<Socket>();
  let closed: Promise<void> | undefined;

  const makeServer = (transport: Transport): Server => {
    const server = makeHttpServer(dispatcher, transport, commonHeaders);
    server.on('connection', (socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    });
    servers.push(server);
    return server;
  };

  /** Until nobody who connected before the end may still be about to ask something. */
  const drained = async (): Promise<void> => {
    for (let quietMs = 0; quietMs < QUIET_MS; quietMs += QUIET_STEP_MS) {
      if (dispatcher.active > 0) quietMs = 0;
      if (connections.size === 0) return;
      await delay(QUIET_STEP_MS);
    }
  };

  const shutDown = async (drain: boolean): Promise<void> => {
    if (drain) {
      // Nobody new finds the socket; who found it is served.
      await Promise.all(cleanups.map((cleanup) => cleanup()));
      await drained();
    }
    const stopped = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    await Promise.all(cleanups.map((cleanup) => cleanup()));
    dispatcher.abortAll();
    const timer = setTimeout(() => {
      for (const connection of connections) connection.destroy();
    }, CLOSE_GRACE_MS);
    await Promise.all(stopped);
    clearTimeout(timer);
  };

  return {
    async listenUnix(address) {
      cleanups.push(await listenUnix(makeServer('unix'), address));
    },
    listenTcp: (address) => listenTcp(makeServer('tcp'), address),
    get activeRequests() {
      return dispatcher.active;
    },
    close({ drain = false } = {}) {
      closed ??= shutDown(drain);
      return closed;
    },
  };
}

function makeHttpServer(
  dispatcher: Dispatcher,
  transport: Transport,
  headers: Readonly<Record<string, string>>,
): Server {
  const server = createServer(
    {
      headersTimeout: 15_000,
      // A context or an image may take its time; small bodies have their own limit.
      requestTimeout: 0,
      keepAliveTimeout: 30_000,
      maxHeaderSize: 64 * 1024,
      shouldUpgradeCallback: (request) => dispatcher.hijacks(request),
    },
    (request, response) => void dispatcher.serve(request, response, transport),
  );
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.shouldKeepAlive = false;
    response.once('finish', () => void closeGently(socket));
    socket.on('error', () => socket.destroy());
    void dispatcher.serve(request, response, transport, head);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseMalformed(error, socket, headers));
  return server;
}

/** Answers what is not HTTP, without telling more than that. */
function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  headers: Readonly<Record<string, string>>,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const body = '{"message":"malformed HTTP request"}\n';
  const all = { ...headers, 'Content-Type': 'application/json', 'Content-Length': body.length, Connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
}
