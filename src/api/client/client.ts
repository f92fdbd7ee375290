import type { Duplex, Readable } from 'node:stream';
import { BerthError } from '../../errors/index.ts';
import {
  API_VERSION,
  type ApiVersion,
  compareVersions,
  isApiVersion,
  MIN_API_VERSION,
  MULTIPLEXED_STREAM,
} from '../contract/index.ts';
import { Connection } from './connection.ts';
import { connectFailure, failureOf, readText } from './failure.ts';
import type { ResponseHead } from './response-parser.ts';
import { isStream, type WireBody } from './wire.ts';

/** Absent and undefined parameters are left out, lists are repeated, objects are sent as JSON. */
export type QueryValues = Readonly<Record<string, string | number | boolean | readonly string[] | object | undefined>>;

export interface RequestOptions {
  readonly query?: QueryValues;
  /** An object is sent as JSON; text and bytes as they are; a stream in chunks. */
  readonly body?: object | string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface EngineResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. Read it to its end, or call `discard`. */
  readonly stream: Readable;
  json<T>(): Promise<T>;
  text(): Promise<string>;
  discard(): void;
}

export interface HijackedStream {
  /** `end()` closes the process's stdin and leaves its output open. The caller destroys it. */
  readonly socket: Duplex;
  /** Without a terminal, the bytes are frames: see `FrameDecoder`. */
  readonly tty: boolean;
}

/** A Docker-compatible engine, ours or another. */
export interface EngineClient {
  readonly host: string;
  /**
   * @param path without version: `/containers/json`
   * @throws BerthError the engine's own for status 400 and more; `unavailable`, `forbidden`, `cancelled`
   */
  request(method: string, path: string, options?: RequestOptions): Promise<EngineResponse>;
  /** Asks for a raw duplex stream, as attach and exec start give it. @throws as `request` */
  hijack(method: string, path: string, options?: RequestOptions): Promise<HijackedStream>;
  /** Closes idle connections. */
  close(): void;
}

const MAX_JSON_BYTES = 256 * 1024 * 1024;

/** @param options.host `unix:///path`, `tcp://host:port` or `host:port` @throws BerthError `invalid`, `unsupported` */
export function createClient(options: { readonly host: string }): EngineClient {
  const { host } = options;
  const connection = new Connection(host);
  let version: ApiVersion = API_VERSION;
  let agreed = false;

  /** An older engine tells its newest version in every answer, also when it refuses ours. */
  const agree = ({ headers }: ResponseHead): boolean => {
    agreed = true;
    const offered = headers['api-version'];
    if (offered === undefined || !isApiVersion(offered)) return false;
    if (compareVersions(offered, version) >= 0 || compareVersions(offered, MIN_API_VERSION) < 0) return false;
    version = offered;
    return true;
  };

  const send = async (method: string, path: string, given: RequestOptions, extra: Readonly<Record<string, string>>) => {
    const { body, type } = encodeBody(given.body);
    const { signal } = given;
    if (!agreed && isStream(body)) {
      const ping = await connection.send({ method: 'GET', path: '/_ping', headers: {}, body: undefined, signal });
      if (ping.kind === 'response') ping.body.resume();
      agree(ping.head);
    }
    const headers = {
      'User-Agent': 'berth',
      ...(type === undefined ? {} : { 'Content-Type': type }),
      ...given.headers,
      ...extra,
    };
    const sendOnce = () =>
      connection.send({ method, path: `/v${version}${path}${encodeQuery(given.query)}`, headers, body, signal });
    const answer = await sendOnce();
    if (agreed || !agree(answer.head) || answer.head.status !== 400 || answer.kind === 'upgrade') return answer;
    answer.body.resume();
    return await sendOnce();
  };

  return {
    host,
    async request(method, path, given = {}) {
      const answer = await send(method, path, given, {});
      if (answer.kind === 'upgrade') {
        answer.socket.destroy();
        throw new BerthError('internal', `the engine at ${host} upgraded a request that did not ask for it`);
      }
      if (answer.head.status >= 400) throw await failureOf(answer.head.status, answer.body);
      return wrap(answer.head, answer.body, host);
    },
    async hijack(method, path, given = {}) {
      const answer = await send(method, path, given, { Connection: 'Upgrade', Upgrade: 'tcp' });
      if (answer.kind === 'response') {
        if (answer.head.status >= 400) throw await failureOf(answer.head.status, answer.body);
        answer.body.destroy();
        throw new BerthError('unsupported', `the engine at ${host} did not open a stream for ${path}`);
      }
      return { socket: answer.socket, tty: answer.head.headers['content-type'] !== MULTIPLEXED_STREAM };
    },
    close: () => connection.close(),
  };
}

function wrap({ status, headers }: ResponseHead, stream: Readable, host: string): EngineResponse {
  const text = async () => {
    try {
      return await readText(stream, MAX_JSON_BYTES);
    } catch (cause) {
      throw connectFailure(cause, host);
    }
  };
  return {
    status,
    headers,
    stream,
    text,
    async json<T>() {
      const body = await text();
      try {
        return JSON.parse(body) as T;
      } catch (cause) {
        throw new BerthError('internal', `the engine at ${host} sent an answer that is not JSON`, { cause });
      }
    },
    discard: () => void stream.resume(),
  };
}

function encodeBody(body: RequestOptions['body']): { body: WireBody; type?: string } {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) return { body };
  if (Symbol.asyncIterator in body) return { body };
  return { body: JSON.stringify(body), type: 'application/json' };
}

function encodeQuery(query: QueryValues = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const item of value) params.append(name, String(item));
    else params.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}
