import {
  createClient,
  type EngineClient,
  type EngineResponse,
  type HijackedStream,
  jsonLines,
  type RequestOptions,
} from '../../api/client/index.ts';
import type { JsonMessage } from '../../api/contract/index.ts';
import { BerthError, isBerthError } from '../../errors/index.ts';
import type { EngineHosts } from '../environment.ts';
import type { Host } from './host.ts';

/** The engine of a command. Nothing is connected before the first request; the local engine is started when it has to be. */
export interface Engine {
  readonly host: Host;
  request(method: string, path: string, options?: RequestOptions): Promise<EngineResponse>;
  /** For answers whose body does not matter. */
  send(method: string, path: string, options?: RequestOptions): Promise<void>;
  json<T>(method: string, path: string, options?: RequestOptions): Promise<T>;
  /** Messages of a progress stream; an error line among them throws. A stream as body is sent once: see `ready`. */
  messages(method: string, path: string, options?: RequestOptions): AsyncIterable<JsonMessage>;
  hijack(method: string, path: string, options?: RequestOptions): Promise<HijackedStream>;
  /** Makes sure that an engine answers. To be called before a request whose body cannot be sent twice. */
  ready(): Promise<void>;
  close(): void;
}

/** An engine that answers when it is looked for may leave before it is asked: it was idle, or its own command ended. */
const MAX_STARTS = 5;
const DYING_MS = 30;

export function openEngine(host: Host, hosts: EngineHosts): Engine {
  let client: EngineClient | undefined;

  const attempt = async <T>(
    action: (client: EngineClient) => Promise<T>,
    { isRepeatable }: { readonly isRepeatable: boolean },
  ): Promise<T> => {
    for (let starts = 0; ; starts++) {
      client ??= createClient({ host: host.url });
      try {
        return await action(client);
      } catch (error) {
        const isLost = isRepeatable && host.isLocal && isConnectionLost(error);
        if (!isLost && !isNobodyThere(error)) throw error;
        if (!host.isLocal || starts === MAX_STARTS) throw isLost ? error : nobodyThere(host, error);
        // An engine that was killed may still have taken the connection: its last thread was on its way out.
        if (isLost) await new Promise((resolve) => setTimeout(resolve, DYING_MS));
        client = createClient({ host: isLost ? host.url : await hosts.ensureEngine() });
      }
    }
  };
  const request: Engine['request'] = (method, path, options) =>
    attempt((open) => open.request(method, path, options), { isRepeatable: method === 'GET' || method === 'HEAD' });

  return {
    host,
    request,
    async send(method, path, options) {
      (await request(method, path, options)).discard();
    },
    async json<T>(method: string, path: string, options?: RequestOptions) {
      return await (await request(method, path, options)).json<T>();
    },
    async *messages(method, path, options) {
      yield* jsonLines((await request(method, path, options)).stream);
    },
    hijack: (method, path, options) => attempt((open) => open.hijack(method, path, options), { isRepeatable: false }),
    async ready() {
      (await request('GET', '/_ping')).discard();
    },
    close: () => client?.close(),
  };
}

function isConnectionLost(error: unknown): boolean {
  const code = isBerthError(error) ? (error.cause as NodeJS.ErrnoException | undefined)?.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** Nothing listens: the request has not been seen by anybody. */
function isNobodyThere(error: unknown): boolean {
  if (!isBerthError(error) || error.kind !== 'unavailable') return false;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOENT' || code === 'ECONNREFUSED';
}

function nobodyThere({ url }: Host, cause: unknown): BerthError {
  return new BerthError('unavailable', `cannot connect to the engine at ${url}. Is it running?`, {
    cause,
    hint: 'check -H, BERTH_HOST and DOCKER_HOST; without them Berth starts its own engine',
  });
}
