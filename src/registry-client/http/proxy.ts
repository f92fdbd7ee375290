import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { isLoopback } from '../endpoint.ts';

/** The proxy for a URL; undefined when it is reached directly. */
export type ProxyChoice = (url: URL) => URL | undefined;

/**
 * Proxies as the usual variables say, in either case of letters. Addresses of this machine never go to one.
 * @see Go net/http, "ProxyFromEnvironment"
 */
export function proxiesOf(env: Readonly<Record<string, string | undefined>>): ProxyChoice {
  const read = (name: string) => env[name] || env[name.toLowerCase()] || '';
  const proxies = { 'https:': parseProxy(read('HTTPS_PROXY')), 'http:': parseProxy(read('HTTP_PROXY')) };
  const direct = read('NO_PROXY')
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter(Boolean);
  return (url) => {
    const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
    if (isLoopback(host) || direct.some((entry) => covers(entry, host, url.port))) return undefined;
    return proxies[url.protocol as 'https:' | 'http:'];
  };
}

function parseProxy(text: string): URL | undefined {
  const address = text === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

/** `*`, a host, a domain (`.example.com`, or without the dot), an address; each with a port or without. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [name = '', onlyPort] = isIP(entry) ? [entry] : entry.split(/:(?=\d+$)/);
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const domain = name.replace(/^\*?\./, '');
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

/** A plain request by way of a proxy names the whole URL. */
export function proxiedHttp(url: URL, proxy: URL, settings: RequestOptions): RequestOptions {
  return {
    ...settings,
    host: proxy.hostname,
    port: proxy.port || 80,
    path: url.href,
    headers: { ...(settings.headers as Record<string, string>), Host: url.host, ...authorization(proxy) },
  };
}

/** Connections that lead through a proxy: what passes it is encrypted from end to end. */
export class ProxiedHttpsAgent extends HttpsAgent {
  readonly #proxy: URL;

  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(
    options: RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const settle = callback as (error: Error | null, stream?: Duplex) => void;
    const target = `${options.host?.includes(':') ? `[${options.host}]` : options.host}:${options.port}`;
    const request = (this.#proxy.protocol === 'https:' ? requestHttps : requestHttp)({
      method: 'CONNECT',
      host: this.#proxy.hostname.replace(/^\[|\]$/g, ''),
      port: this.#proxy.port || (this.#proxy.protocol === 'https:' ? 443 : 80),
      path: target,
      agent: false,
      headers: { Host: target, ...authorization(this.#proxy) },
    });
    request.once('connect', (response: IncomingMessage, socket: Socket) => {
      if (response.statusCode === 200) {
        const secure = connectTls({ ...(options as object), socket });
        settle(null, secure);
        return;
      }
      socket.destroy();
      settle(new Error(`the proxy ${this.#proxy.host} answered ${response.statusCode}`));
    });
    request.once('response', (response) => {
      response.destroy();
      settle(new Error(`the proxy ${this.#proxy.host} answered ${response.statusCode}`));
    });
    request.once('error', (error) => settle(error));
    request.end();
    return undefined;
  }
}

function authorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '') return {};
  const both = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(both).toString('base64')}` };
}
