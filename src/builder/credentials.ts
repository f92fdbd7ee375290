/** Secrets of a build that are for servers: what they are called, and what they become. */
export type Secrets = ReadonlyMap<string, Uint8Array>;

/**
 * The Authorization header for a host that ADD reads from: the secret `HTTP_AUTH_HEADER_<host>`, or
 * `HTTP_AUTH_TOKEN_<host>` as a bearer token.
 * @see Docker reference, "ADD from private HTTP servers"
 */
export function webAuthorization(secrets: Secrets, host: string): string | undefined {
  const header = text(secrets, `HTTP_AUTH_HEADER_${host}`);
  if (header !== undefined) return header;
  const token = text(secrets, `HTTP_AUTH_TOKEN_${host}`);
  return token === undefined ? undefined : `Bearer ${token}`;
}

/**
 * The Authorization header for a git host: `GIT_AUTH_HEADER` or `GIT_AUTH_TOKEN`, where a name with `.<host>` wins.
 * @see BuildKit, git source
 */
export function gitAuthorization(secrets: Secrets, remote: string): string | undefined {
  const host = URL.canParse(remote) ? new URL(remote).host : '';
  const named = (name: string) => text(secrets, `${name}.${host}`) ?? text(secrets, name);
  const header = named('GIT_AUTH_HEADER');
  if (header !== undefined) return header;
  const token = named('GIT_AUTH_TOKEN');
  return token === undefined ? undefined : `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
}

/** Whether a build has keys to servers of its own. */
export function isPrivate(secrets: Secrets): boolean {
  return [...secrets.keys()].some((id) => /^(HTTP|GIT)_AUTH_(TOKEN|HEADER)/.test(id));
}

/** On one line: what else comes with a file's last line end must not become another header. */
function text(secrets: Secrets, id: string): string | undefined {
  const value = secrets.get(id);
  const line = value && Buffer.from(value).toString('utf8').trim();
  return line === undefined || line === '' || /[\r\n]/.test(line) ? undefined : line;
}
