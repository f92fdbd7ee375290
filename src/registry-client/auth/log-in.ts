import { BerthError, isBerthError } from '../../errors/index.ts';
import type { RegistryHost } from '../endpoint.ts';
import { failureOf, Transient } from '../http/failure.ts';
import type { Transport } from '../http/transport.ts';
import type { Session } from '../session.ts';
import type { Credentials } from './keychain.ts';
import { checkRealm } from './realm.ts';
import { basic, type TokenSource } from './token.ts';

export interface LogInParts {
  readonly session: Session;
  readonly transport: Transport;
  readonly tokens: TokenSource;
}

/**
 * Proves credentials at a registry, in the way that it asks for. A registry that asks nobody lets everybody in.
 * @returns a token to keep in place of the password, where the registry gives one
 * @throws BerthError `unauthorized` when they are wrong, `unavailable`
 * @see moby daemon/pkg/registry, "loginV2"
 */
export async function logIn(
  { session, transport, tokens }: LogInParts,
  { host, credentials, signal }: { host: RegistryHost; credentials: Credentials; signal?: AbortSignal | undefined },
): Promise<{ readonly identityToken?: string }> {
  const { origin, challenges } = await session.open(host, signal);
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  const url = new URL('/v2/', origin);
  try {
    if (!bearer) {
      const offersBasic = challenges.some(({ scheme }) => scheme === 'basic');
      await enter(
        transport,
        url,
        offersBasic && credentials.kind === 'password' ? basic(credentials) : undefined,
        signal,
      );
      return {};
    }
    const { realm, service } = bearer.parameters;
    const request = { realm: checkRealm(realm, origin), service, scopes: [], credentials };
    if (credentials.kind === 'bearer') {
      await enter(transport, url, `Bearer ${credentials.token}`, signal);
      return {};
    }
    const { token, identityToken } = await tokens.logIn(request);
    signal?.throwIfAborted();
    await enter(transport, url, `Bearer ${token}`, signal);
    return identityToken === undefined ? {} : { identityToken };
  } catch (error) {
    const failure = error instanceof Transient ? error.error : error;
    if (!isBerthError(failure) || failure.kind !== 'unauthorized') throw failure;
    throw new BerthError('unauthorized', `Get "${url}": unauthorized: incorrect username or password`, {
      hint: 'check user and password; some registries want an access token in place of the password',
      cause: failure,
    });
  }
}

async function enter(
  transport: Transport,
  url: URL,
  authorization: string | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const headers = authorization === undefined ? {} : { Authorization: authorization };
  const response = await transport.send({ method: 'GET', url, headers, signal });
  if (response.status >= 300) throw await failureOf(response, 'logging in');
  response.discard();
}
