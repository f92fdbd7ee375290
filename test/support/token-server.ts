import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { selfSigned } from './self-signed.ts';

const ISSUER = 'berth tests';
const SERVICE = 'registry of the tests';
/** Debian's docker-registry takes tokens for so long after their end. */
export const LEEWAY_SECONDS = 60;

/** One token that was given out. */
export interface GivenToken {
  readonly user: string;
  readonly scopes: readonly string[];
}

/**
 * Gives out signed tokens that a real registry verifies: `berth` with the password `swordfish` may do everything, and
 * who has no name may pull.
 * @see distribution, "Docker Registry v2 Bearer token specification"
 */
export class TokenServer {
  readonly given: GivenToken[] = [];
  /** How long tokens are good, without the registry's leeway. Clients are not told. */
  seconds = 300;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const user = userOf(request);
      if (user === undefined) {
        response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}');
        return;
      }
      const scopes = new URL(request.url ?? '', 'http://x').searchParams
        .getAll('scope')
        .flatMap((one) => one.split(' '));
      this.given.push({ user, scopes });
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ token: this.#token(user, scopes) }));
    });
  }

  static async start(): Promise<TokenServer> {
    const server = new TokenServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** What a registry's configuration has to say. @param certificate file with `selfSigned.cert` */
  auth(certificate: string): object {
    const realm = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
    return { token: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: certificate } };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #token(user: string, scopes: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.filter(Boolean).map((scope) => {
      const [type = '', ...rest] = scope.split(':');
      const actions = (rest.pop() ?? '').split(',');
      return {
        type,
        name: rest.join(':'),
        actions: user === '' ? actions.filter((action) => action === 'pull') : actions,
      };
    });
    const header = { typ: 'JWT', alg: 'ES256', x5c: [new X509Certificate(selfSigned.cert).raw.toString('base64')] };
    const times = { exp: now + this.seconds, nbf: now - 300, iat: now - 300 };
    const claims = { iss: ISSUER, sub: user, aud: SERVICE, ...times, jti: randomUUID(), access };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const key = { key: createPrivateKey(selfSigned.key), dsaEncoding: 'ieee-p1363' } as const;
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  }
}

/** `''` for who says no name, undefined for a wrong password. */
function userOf({ headers }: IncomingMessage): string | undefined {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (basic === undefined) return '';
  const [user, password] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return user === 'berth' && password === 'swordfish' ? user : undefined;
}
