import type { Challenge } from './challenge.ts';
import type { Keychain } from './keychain.ts';
import { checkRealm } from './realm.ts';
import { basic, type TokenSource } from './token.ts';

/** Who asks what of which registry. */
export interface AuthorizationRequest {
  /** Scheme and host that the header will be sent to. */
  readonly registry: URL;
  readonly credentialKey: string;
  readonly challenges: readonly Challenge[];
  readonly scopes: readonly string[];
  readonly keychain: Keychain | undefined;
  /** The header that was refused, if one was. */
  readonly rejected?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The `Authorization` header for a request, or none when the registry asks for none or nobody knows a password.
 * @throws BerthError `unauthorized`, `forbidden`, `unavailable`
 */
export async function authorize(request: AuthorizationRequest, tokens: TokenSource): Promise<string | undefined> {
  const { challenges, registry, keychain, credentialKey, signal } = request;
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  const offersBasic = challenges.some(({ scheme }) => scheme === 'basic');
  if (!bearer && !offersBasic) return undefined;
  const credentials = await keychain?.find(credentialKey, signal);
  if (credentials?.kind === 'bearer') return `Bearer ${credentials.token}`;
  if (!bearer) return credentials?.kind === 'password' ? basic(credentials) : undefined;
  const { realm, service, scope } = bearer.parameters;
  const rejected = request.rejected?.replace(/^Bearer /, '');
  const token = await tokens.get(
    { realm: checkRealm(realm, registry), service, scopes: unite(request.scopes, scope), credentials },
    rejected,
  );
  return `Bearer ${token}`;
}

/** Scopes of one resource become one: `repository:x:pull` and `repository:x:push` are `repository:x:pull,push`. */
export function unite(wanted: readonly string[], asked: string | undefined): readonly string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of [...wanted, ...(asked?.split(' ').filter(Boolean) ?? [])]) {
    const colon = scope.lastIndexOf(':');
    const resource = scope.slice(0, colon);
    const known = actions.get(resource) ?? new Set();
    for (const action of scope.slice(colon + 1).split(',')) known.add(action);
    actions.set(resource, known);
  }
  return [...actions].map(([resource, set]) => `${resource}:${[...set].sort().join(',')}`).sort();
}
