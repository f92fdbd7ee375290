import { abortable } from './abortable.ts';
import { authorize } from './auth/authorizer.ts';
import { type Challenge, parseChallenges } from './auth/challenge.ts';
import type { Keychain } from './auth/keychain.ts';
import type { TokenSource } from './auth/token.ts';
import type { Endpoint, RegistryHost } from './endpoint.ts';
import { failureOf, isNotTls, Transient } from './http/failure.ts';
import { type BackOff, type RetryPolicy, retryAfterMs, withRetry } from './http/retry.ts';
import type { HttpRequest, HttpResponse, Transport } from './http/transport.ts';

/** A request to a registry's API. */
export interface ApiRequest {
  readonly method: HttpRequest['method'];
  /** Below `/v2/<repository>/`, or an absolute URL that the registry gave for an upload. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made anew for each try. */
  readonly body?: () => Uint8Array | AsyncIterable<Uint8Array>;
  /** Carries each try in place of the session's own transport. */
  readonly via?: (request: HttpRequest) => Promise<HttpResponse>;
  /** Actions on the repository: `pull`, `pull,push`. */
  readonly actions: string;
  /** What is asked for in place of actions on a repository, as `registry:catalog:*`. */
  readonly scope?: string;
  /** Scopes on other repositories, as for a mount. */
  readonly scopes?: readonly string[];
  /** What the request is for, as `pulling busybox`: errors begin with it. */
  readonly doing: string;
  /** Statuses that the caller understands; below 300 always. */
  readonly understood?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** Where a request goes, and who asks. */
export interface Place {
  readonly endpoint: Endpoint;
  readonly keychain: Keychain | undefined;
}

export interface SessionOptions {
  readonly transport: Transport;
  readonly tokens: TokenSource;
  readonly backOff: BackOff;
  readonly retry: RetryPolicy;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface HostState {
  readonly origin: URL;
  challenges: readonly Challenge[];
}

const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Speaks to registries: finds their scheme, proves who we are, waits and tries again. */
export class Session {
  readonly #options: SessionOptions;
  readonly #hosts = new Map<string, Promise<HostState>>();

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * Sends a request, again while its failure may pass; `consume` is part of each try.
   * @throws BerthError by the answer's status, or `unavailable`
   */
  async call<T>(place: Place, request: ApiRequest, consume: (response: HttpResponse) => T | Promise<T>): Promise<T> {
    const work = async () => await consume(await this.once(place, request));
    return await withRetry(work, this.#options.retry, request.signal);
  }

  /** One try. @throws BerthError; Transient for what may pass */
  async once({ endpoint, keychain }: Place, request: ApiRequest): Promise<HttpResponse> {
    const { retry, backOff } = this.#options;
    const waitMs = backOff.waitMs(endpoint.host.authority);
    if (waitMs > 0) await retry.sleep(Math.min(waitMs, retry.maxDelayMs), request.signal);
    const response = await this.#authorized(endpoint, keychain, request);
    if (response.status < 300 || request.understood?.includes(response.status)) return response;
    throw await this.#failure(response, endpoint.host, request.doing);
  }

  /** Asks whether a registry is there and speaks the protocol. @returns what it asks of clients */
  async open(host: RegistryHost, signal?: AbortSignal): Promise<HostState> {
    const key = `${host.scheme ?? ''}|${host.authority}|${host.insecure}`;
    let state = this.#hosts.get(key);
    if (state === undefined) {
      // Shared by all who ask meanwhile: one caller's leaving must not end it for the others.
      state = this.#contact(host);
      this.#hosts.set(key, state);
      state.catch(() => this.#hosts.delete(key));
    }
    return await abortable(state, signal);
  }

  async #contact(host: RegistryHost): Promise<HostState> {
    const schemes = host.scheme ? [host.scheme] : host.insecure ? (['https', 'http'] as const) : (['https'] as const);
    for (const [index, scheme] of schemes.entries()) {
      const origin = new URL(`${scheme}://${host.authority}`);
      try {
        return await withRetry(() => this.#ping(origin, host), this.#options.retry, undefined);
      } catch (error) {
        // A certificate that is not trusted is no reason to go on in the clear.
        if (index === schemes.length - 1 || !isNotTls(error)) throw error;
      }
    }
    throw new Error('a registry has at least one scheme');
  }

  async #ping(origin: URL, host: RegistryHost): Promise<HostState> {
    const { transport } = this.#options;
    const response = await transport.send({ method: 'GET', url: new URL('/v2/', origin) }).catch((error: unknown) => {
      throw error instanceof Transient && origin.protocol === 'https:' && host.insecure ? error.error : error;
    });
    if (PASSING.has(response.status)) throw await this.#failure(response, host, 'asking the registry');
    response.discard();
    return { origin, challenges: challengesOf(response) };
  }

  async #authorized(endpoint: Endpoint, keychain: Keychain | undefined, request: ApiRequest): Promise<HttpResponse> {
    const host = await this.open(endpoint.host, request.signal);
    const base = endpoint.repository === '' ? '/v2' : `/v2/${endpoint.repository}`;
    const url = request.path instanceof URL ? request.path : new URL(`${base}/${request.path}`, host.origin);
    const { scope = `repository:${endpoint.repository}:${request.actions}` } = request;
    const scopes = [scope, ...(request.scopes ?? [])];
    const ask = async (challenges: readonly Challenge[], rejected: string | undefined) => {
      // An upload may go to another host, which says who it is in its URL: it gets nothing else.
      if (url.origin !== host.origin.origin) return undefined;
      const { credentialKey } = endpoint.host;
      const { signal } = request;
      return await authorize(
        { registry: host.origin, credentialKey, challenges, scopes, keychain, rejected, signal },
        this.#options.tokens,
      );
    };
    const first = await ask(host.challenges, undefined);
    const response = await this.#send(url, request, first);
    if (response.status !== 401) return response;
    const challenges = challengesOf(response);
    if (challenges.length === 0) return response;
    host.challenges = challenges;
    const second = await ask(challenges, first);
    if (second === undefined || second === first) return response;
    response.discard();
    return await this.#send(url, request, second);
  }

  #send(url: URL, request: ApiRequest, authorization: string | undefined): Promise<HttpResponse> {
    const { method, headers, body, signal, via } = request;
    const send = via ?? this.#options.transport.send;
    return send({
      method,
      url,
      headers: { ...headers, ...(authorization === undefined ? {} : { Authorization: authorization }) },
      ...(body ? { body: body() } : {}),
      signal,
    });
  }

  async #failure(response: HttpResponse, host: RegistryHost, doing: string): Promise<Error> {
    const failure = await failureOf(response, doing);
    if (!PASSING.has(response.status)) return failure;
    const afterMs = retryAfterMs(response.header('retry-after'), this.#options.now());
    const { backOff, retry } = this.#options;
    if (afterMs !== undefined) backOff.note(host.authority, Math.min(afterMs, retry.maxDelayMs));
    return new Transient(failure, afterMs);
  }
}

function challengesOf(response: HttpResponse): readonly Challenge[] {
  return response.status === 401 ? parseChallenges(response.header('www-authenticate')) : [];
}
