import { createHash } from 'node:crypto';
import { BerthError } from '../../errors/index.ts';
import { failureOf } from '../http/failure.ts';
import type { HttpResponse, Transport } from '../http/transport.ts';
import type { Credentials } from './keychain.ts';

export interface TokenRequest {
  /** Checked by `checkRealm`. */
  readonly realm: URL;
  readonly service: string | undefined;
  /** Sorted, as `repository:library/busybox:pull`. */
  readonly scopes: readonly string[];
  readonly credentials: Credentials | undefined;
}

interface TokenReply {
  readonly token: string;
  readonly seconds: number;
  readonly identityToken: string | undefined;
}

interface CachedToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** What we call ourselves. */
const CLIENT = 'berth';
const MAX_REPLY = 1024 * 1024;
const DEFAULT_SECONDS = 60;
/** A token is renewed this much before its end, so that it does not end on the way. */
const MARGIN_MS = 5000;

/** Access tokens by realm, service, scopes and user. Equal requests at one time share one answer. */
export class TokenSource {
  readonly #transport: Transport;
  readonly #now: () => number;
  readonly #cache = new Map<string, CachedToken>();
  readonly #pending = new Map<string, Promise<string>>();

  constructor(transport: Transport, now: () => number) {
    this.#transport = transport;
    this.#now = now;
  }

  /**
   * @param rejected a token that the registry did not take: a cached one that equals it does not count
   * @throws BerthError `unauthorized`, `unavailable`
   */
  async get(request: TokenRequest, rejected?: string): Promise<string> {
    const key = keyOf(request);
    const cached = this.#cache.get(key);
    if (cached && cached.token !== rejected && cached.until > this.#now()) return cached.token;
    const pending = this.#pending.get(key);
    if (pending) return pending;
    const fetching = this.#fetch(request, key).finally(() => this.#pending.delete(key));
    this.#pending.set(key, fetching);
    return fetching;
  }

  /**
   * Asks anew for a token, and for one that lasts, which not every server gives.
   * @throws BerthError `unauthorized`, `unavailable`
   */
  async logIn(request: TokenRequest): Promise<{ readonly token: string; readonly identityToken: string | undefined }> {
    const { credentials } = request;
    if (credentials?.kind === 'identity') {
      const { token } = await replyOf(await this.#exchange(request, credentials.token), request.realm);
      return { token, identityToken: credentials.token };
    }
    let response = await this.#ask(request, { offline: true });
    // A server that knows OAuth2 only.
    if ((response.status === 404 || response.status === 405) && credentials?.kind === 'password') {
      response.discard();
      response = await this.#grant(request, {
        grant_type: 'password',
        username: credentials.username,
        password: credentials.password,
        access_type: 'offline',
      });
    }
    const { token, identityToken } = await replyOf(response, request.realm);
    return { token, identityToken };
  }

  async #fetch(request: TokenRequest, key: string): Promise<string> {
    const response = await (request.credentials?.kind === 'identity'
      ? this.#exchange(request, request.credentials.token)
      : this.#ask(request));
    const reply = await replyOf(response, request.realm);
    this.#cache.set(key, { token: reply.token, until: this.#now() + reply.seconds * 1000 - MARGIN_MS });
    return reply.token;
  }

  /** @see distribution, "Token Authentication Specification" */
  #ask({ realm, service, scopes, credentials }: TokenRequest, { offline = false } = {}): Promise<HttpResponse> {
    const url = new URL(realm);
    if (offline) {
      url.searchParams.set('offline_token', 'true');
      url.searchParams.set('client_id', CLIENT);
    }
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    if (credentials?.kind !== 'password') return this.#transport.send({ method: 'GET', url });
    url.searchParams.set('account', credentials.username);
    return this.#transport.send({ method: 'GET', url, headers: { Authorization: basic(credentials) } });
  }

  /** @see distribution, "Docker Registry v2 authentication using OAuth2" */
  #exchange(request: TokenRequest, refreshToken: string): Promise<HttpResponse> {
    return this.#grant(request, { grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  #grant({ realm, service, scopes }: TokenRequest, grant: Readonly<Record<string, string>>): Promise<HttpResponse> {
    const form = new URLSearchParams({ ...grant, client_id: CLIENT });
    if (service !== undefined) form.set('service', service);
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    const body = Buffer.from(form.toString());
    return this.#transport.send({
      method: 'POST',
      url: realm,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': String(body.length) },
      body,
    });
  }
}

export function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function replyOf(response: HttpResponse, realm: URL): Promise<TokenReply> {
  if (response.status === 200) return parseReply(await response.read(MAX_REPLY, 'the token'), realm);
  const refusal = await failureOf(response, 'getting a token');
  // Whatever the token server calls it: the registry was not even asked.
  throw response.status < 500 && response.status !== 429
    ? new BerthError('unauthorized', refusal.message, {
        hint: 'log in to the registry, or check user and password',
      })
    : refusal;
}

function parseReply(body: Buffer, realm: URL): TokenReply {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    value = undefined;
  }
  const { token, access_token, expires_in, refresh_token } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const found = typeof token === 'string' && token !== '' ? token : access_token;
  if (typeof found !== 'string' || !/^[\x21-\x7e]+$/.test(found)) {
    throw new BerthError('unauthorized', `${realm.host} did not give a token`);
  }
  const seconds = typeof expires_in === 'number' && expires_in > 0 ? expires_in : DEFAULT_SECONDS;
  const isLasting = typeof refresh_token === 'string' && /^[\x21-\x7e]+$/.test(refresh_token);
  return { token: found, seconds, identityToken: isLasting ? refresh_token : undefined };
}

/** Credentials stand in it as a digest only: keys may end up in a heap dump or a log. */
function keyOf({ realm, service, scopes, credentials }: TokenRequest): string {
  const user = credentials ? createHash('sha256').update(JSON.stringify(credentials)).digest('hex') : '';
  return JSON.stringify([realm.href, service ?? '', scopes, user]);
}
