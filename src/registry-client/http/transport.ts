import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { BerthError } from '../../errors/index.ts';
import { connectionFailure, Transient } from './failure.ts';
import type { ProxyChoice } from './proxy.ts';
import { ProxiedHttpsAgent, proxiedHttp } from './proxy.ts';
import type { TlsFiles } from './tls-files.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent at the speed of the other side. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

/** An answer. Its body must be read, iterated or discarded. */
export interface HttpResponse {
  readonly status: number;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body. @throws BerthError `invalid` when it has more than `maxBytes`: reading stops there */
  read(maxBytes: number, what: string): Promise<Buffer>;
  discard(): void;
}

export interface TransportOptions {
  readonly userAgent: string;
  /** Files for TLS with a host, and whether it may be unknown to everybody. */
  readonly tlsFor: (authority: string) => TlsFiles & { readonly unverified: boolean };
  readonly proxyFor?: ProxyChoice;
  /** Longest silence on a connection. Default 60 s. */
  readonly idleTimeoutMs?: number;
  /** Told of the file descriptor of each new connection, to set what Node cannot. */
  readonly connected?: ((fd: number) => void) | undefined;
}

export interface Transport {
  /** How hosts are reached. */
  readonly options: TransportOptions;
  /**
   * Sends one request. Redirects of GET and HEAD are followed, without credentials to another origin.
   * @throws BerthError `unavailable`, `invalid`; Transient for what may pass
   */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Closes idle connections. */
  close(): void;
}

const MAX_REDIRECTS = 10;
const MAX_SOCKETS = 8;
/** Bodies up to here are read to their end, so that the connection can serve again. */
const MAX_DRAIN = 64 * 1024;

export function createTransport(options: TransportOptions): Transport {
  const agents = new Map<string, HttpAgent | HttpsAgent>();
  const told = new WeakSet<Socket>();

  const tell = (socket: Socket): void => {
    if (told.has(socket)) return;
    told.add(socket);
    const fd = (socket as { readonly _handle?: { readonly fd?: number } })._handle?.fd;
    if (fd !== undefined && fd >= 0) options.connected?.(fd);
  };

  const agentFor = (url: URL): HttpAgent | HttpsAgent => {
    const known = agents.get(url.origin);
    if (known) return known;
    const settings = { keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: 'lifo' } as const;
    let agent: HttpAgent | HttpsAgent;
    if (url.protocol === 'http:') agent = new HttpAgent(settings);
    else {
      const { unverified, ...files } = options.tlsFor(url.host);
      const tls = { ...files, ca: files.ca && [...files.ca], rejectUnauthorized: !unverified };
      const proxy = options.proxyFor?.(url);
      const all = { ...settings, ...tls };
      agent = proxy ? new ProxiedHttpsAgent(proxy, all) : new HttpsAgent(all);
    }
    agents.set(url.origin, agent);
    return agent;
  };

  const once = (request: HttpRequest): Promise<HttpResponse> =>
    new Promise((resolve, reject) => {
      request.signal?.throwIfAborted();
      const { url, method, body, signal } = request;
      const settings: RequestOptions = {
        method,
        agent: agentFor(url),
        headers: { 'User-Agent': options.userAgent, 'Accept-Encoding': 'identity', ...request.headers },
        ...(signal ? { signal } : {}),
      };
      const proxy = url.protocol === 'http:' ? options.proxyFor?.(url) : undefined;
      const outgoing = proxy
        ? requestHttp(proxiedHttp(url, proxy, settings))
        : url.protocol === 'http:'
          ? requestHttp(url, settings)
          : requestHttps(url, settings);
      const idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
      outgoing.setTimeout(idleTimeoutMs, () =>
        outgoing.destroy(
          Object.assign(new Error(`no answer for ${idleTimeoutMs / 1000} seconds`), { code: 'ETIMEDOUT' }),
        ),
      );
      outgoing.once('socket', (socket) => {
        if (socket.connecting) socket.once('connect', () => tell(socket));
        else tell(socket);
      });
      // After the answer, too: a server may close on a body that it does not want.
      outgoing.on('error', (error) => reject(failed(error, url, signal)));
      outgoing.once('response', (incoming) => {
        // Whoever answered before the body was whole will not read the rest of it.
        if (!outgoing.writableEnded) incoming.once('close', () => outgoing.destroy());
        resolve(responseOf(incoming, url, signal));
      });
      if (body === undefined) outgoing.end();
      else if (body instanceof Uint8Array) outgoing.end(body);
      else void write(body, outgoing).catch((error: Error) => outgoing.destroy(error));
    });

  return {
    options,
    async send(request) {
      let current = request;
      for (let hops = 0; ; hops += 1) {
        const response = await once(current);
        const target = redirectOf(response, current);
        if (target === undefined) return response;
        response.discard();
        if (hops === MAX_REDIRECTS) throw refused(current.url, `it redirects more than ${MAX_REDIRECTS} times`);
        current = { ...current, url: target, headers: headersFor(target, current) };
      }
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

function redirectOf(response: HttpResponse, { url, method }: HttpRequest): URL | undefined {
  const isRedirect = [301, 302, 303, 307, 308].includes(response.status) && (method === 'GET' || method === 'HEAD');
  const location = isRedirect ? response.header('location') : undefined;
  if (location === undefined) return undefined;
  const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (target === undefined || (target.protocol !== 'https:' && target.protocol !== 'http:')) {
    response.discard();
    throw refused(url, 'it redirects to what is no web address');
  }
  if (url.protocol === 'https:' && target.protocol === 'http:') {
    response.discard();
    throw refused(url, `it redirects from https to plain http (${target.host})`);
  }
  // Whoever wrote the address chose these: they are not the user's credentials for that host, but they must not be logged.
  target.username = '';
  target.password = '';
  return target;
}

/** Credentials are for one scheme, host and port. */
function headersFor(target: URL, { url, headers = {} }: HttpRequest): Readonly<Record<string, string>> {
  if (target.origin === url.origin) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(authorization|cookie)$/i.test(name)));
}

function refused(url: URL, why: string): BerthError {
  return new BerthError('invalid', `${url.host} is not followed: ${why}`);
}

function failed(error: unknown, url: URL, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  return error instanceof BerthError || error instanceof Transient ? error : connectionFailure(error, url);
}

async function write(body: AsyncIterable<Uint8Array>, outgoing: NodeJS.WritableStream): Promise<void> {
  for await (const chunk of body) {
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end();
}

function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      stream.off('drain', settle).off('close', closed).off('error', settle);
      if (error) reject(error);
      else resolve();
    };
    const closed = () => settle(Object.assign(new Error('the connection was closed'), { code: 'EPIPE' }));
    stream.on('drain', settle).on('close', closed).on('error', settle);
  });
}

function responseOf(incoming: IncomingMessage, url: URL, signal: AbortSignal | undefined): HttpResponse {
  const body = (async function* () {
    try {
      for await (const chunk of incoming) yield chunk as Buffer;
    } catch (error) {
      throw failed(error, url, signal);
    }
  })();
  // Without a listener an answer that is cut before anybody reads it would end the process.
  incoming.on('error', () => {});
  return {
    status: incoming.statusCode ?? 0,
    url,
    header: (name) => {
      const value = incoming.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body,
    async read(maxBytes, what) {
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of body) {
        length += chunk.length;
        if (length > maxBytes) {
          incoming.destroy();
          throw new BerthError('invalid', `${what} from ${url.host} is larger than ${maxBytes} bytes: refused`);
        }
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    },
    discard() {
      if (Number(incoming.headers['content-length'] ?? MAX_DRAIN + 1) > MAX_DRAIN) incoming.destroy();
      else incoming.resume();
    },
  };
}
