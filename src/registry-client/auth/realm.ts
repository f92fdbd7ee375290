import { isIP } from 'node:net';
import { BerthError } from '../../errors/index.ts';
import { isLoopback } from '../endpoint.ts';

/**
 * The token server that a registry names. A registry must not make us talk to inner addresses that it could not reach
 * itself, nor send passwords in the clear.
 * @throws BerthError `forbidden` naming the realm's host
 */
export function checkRealm(realm: string | undefined, registry: URL): URL {
  if (realm === undefined || !URL.canParse(realm)) {
    throw new BerthError('unauthorized', `${registry.host} asks for a token, but does not say where to get one`);
  }
  const url = new URL(realm);
  const refuse = (why: string): never => {
    throw new BerthError('forbidden', `${registry.host} sends us for a token to ${url.host}, which is refused: ${why}`);
  };
  if (url.protocol !== 'https:' && url.protocol !== 'http:') refuse('it is no web address');
  // A registry that is allowed to be plain itself may have a plain token server.
  if (url.protocol === 'http:' && registry.protocol !== 'http:') refuse('it would be asked without encryption');
  const target = reach(url.hostname);
  const own = reach(registry.hostname);
  if (url.hostname !== registry.hostname && target > own) refuse('it is an address of an inner network');
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

/** How far inside an address (as in a URL) lies: 0 public or a name, 1 private, 2 this machine, 3 this link (where metadata lives). */
export function reach(host: string): number {
  const hostname = bare(host);
  if (isLoopback(hostname) || hostname.endsWith('.localhost')) return 2;
  const kind = isIP(hostname);
  if (kind === 4) return reachOfV4(hostname.split('.').map(Number));
  if (kind !== 6) return 0;
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(hostname);
  if (mapped) {
    const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
    return reachOfV4([high >> 8, high & 255, low >> 8, low & 255]);
  }
  if (hostname === '::') return 2;
  if (/^fe[89ab]/i.test(hostname)) return 3;
  return /^f[cd]/i.test(hostname) ? 1 : 0;
}

function reachOfV4([a = 0, b = 0]: readonly number[]): number {
  if (a === 127 || a === 0) return 2;
  if (a === 169 && b === 254) return 3;
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128))
    return 1;
  return 0;
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
