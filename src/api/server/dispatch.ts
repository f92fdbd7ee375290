import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BerthError, toBerthError } from '../../errors/index.ts';
import { API_VERSION, atLeast, splitVersion } from '../contract/index.ts';
import { Exchange } from './exchange.ts';
import { refuseBrowsers, type Transport } from './guard.ts';
import type { ServerLog } from './ports.ts';
import { Query } from './query.ts';
import type { Match, Router } from './router.ts';

export interface DispatchOptions {
  readonly router: Router;
  readonly commonHeaders: Readonly<Record<string, string>>;
  readonly log: ServerLog;
  readonly onActivity: ((active: number) => void) | undefined;
}

/** Finds the handler of each request, runs it, and turns what it throws into an answer. */
export class Dispatcher {
  readonly #options: DispatchOptions;
  readonly #inFlight = new Set<AbortController>();
  #closing = false;
  /** Connections that are, or may soon be, a raw stream. */
  readonly #streams = new WeakSet<Socket>();

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  get active(): number {
    return this.#inFlight.size;
  }

  /** Aborts what is in flight, and lets no connection live on after its request. */
  abortAll(): void {
    this.#closing = true;
    for (const gone of this.#inFlight) gone.abort();
  }

  /** True for a request whose connection becomes a raw stream. */
  hijacks(request: IncomingMessage): boolean {
    try {
      return isHijack(this.#locate(request).match);
    } catch {
      // The ordinary path answers with the reason.
      return false;
    }
  }

  /** @param upgradeHead first bytes after the headers, when the client asked for an upgrade */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    transport: Transport,
    upgradeHead?: Buffer,
  ): Promise<void> {
    if (this.#streams.has(request.socket)) {
      // Input for a stream that was not upgraded must never run as a request of its own.
      request.socket.destroy();
      return;
    }
    const { commonHeaders, log } = this.#options;
    for (const [name, value] of Object.entries(commonHeaders)) response.setHeader(name, value);
    const gone = new AbortController();
    response.once('close', () => response.writableFinished || gone.abort());
    const parts = { request, response, transport, gone, commonHeaders, upgradeHead };
    let exchange = new Exchange(parts, { version: API_VERSION, params: {}, query: new Query('') });
    this.#count(gone, true);
    try {
      refuseBrowsers(request, transport);
      const { match, target } = this.#locate(request);
      if (isHijack(match)) {
        this.#streams.add(request.socket);
        response.shouldKeepAlive = false;
      }
      exchange = new Exchange(parts, target);
      await match.handler(exchange);
    } catch (thrown) {
      const error = toBerthError(thrown);
      if (error.kind === 'internal') log(`${request.method} ${request.url}: ${error.message}`, thrown);
      exchange.sendError(error);
    } finally {
      exchange.drain();
      if (this.#closing) request.socket.destroySoon();
      this.#count(gone, false);
    }
  }

  #count(request: AbortController, begins: boolean): void {
    if (begins) this.#inFlight.add(request);
    else this.#inFlight.delete(request);
    this.#options.onActivity?.(this.#inFlight.size);
  }

  #locate(request: IncomingMessage) {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const { version, path } = splitVersion(mark < 0 ? url : url.slice(0, mark));
    const match = this.#options.router.find(request.method ?? 'GET', path);
    if (!match || (match.spec.since !== undefined && !atLeast(version, match.spec.since))) {
      throw new BerthError('not-found', 'page not found');
    }
    const query = new Query(mark < 0 ? '' : url.slice(mark + 1));
    return { match, target: { version, params: match.params, query } };
  }
}

function isHijack({ spec }: Match): boolean {
  return spec.hijack === true && spec.status === 'done';
}
