import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { BerthError } from '../../errors/index.ts';

/** Addresses that only this machine, or the cloud that it runs in, answers: what a Dockerfile has no business with. */
const LINK_LOCAL = [/^169\.254\./, /^fe[89ab][0-9a-f]:/i, /^fd00:ec2::/i, /^100\.100\.100\.200$/];
const LOOPBACK = [/^127\./, /^0\./, /^::1?$/];

/** True for a URL that names this machine itself: then it may be asked. */
export function isLoopback({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return host === 'localhost' || host.endsWith('.localhost') || LOOPBACK.some((range) => range.test(plain(host)));
}

/**
 * Refuses addresses that a build must not reach: link-local ones (cloud metadata) always, loopback ones unless
 * `loopback`. A name is checked by what it resolves to, in the same look-up that is used to connect.
 * @throws BerthError `forbidden`
 */
export function checkAddress(host: string, address: string, loopback: boolean): void {
  const ip = plain(address);
  const isLocal = LOOPBACK.some((range) => range.test(ip));
  if (!LINK_LOCAL.some((range) => range.test(ip)) && (loopback || !isLocal)) return;
  const what = isLocal ? 'this machine itself' : 'a link-local address';
  const detail = isLocal ? { hint: 'name 127.0.0.1 or localhost in the Dockerfile if that is meant' } : {};
  throw new BerthError('forbidden', `${host} leads to ${what} (${ip}), which ADD must not read`, detail);
}

/** A look-up for one connection. Literal addresses never get here: check them first. */
export function checkedLookup(loopback: boolean): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '', 0);
      try {
        for (const { address } of found) checkAddress(host, address, loopback);
      } catch (refusal) {
        return done(refusal as NodeJS.ErrnoException, '', 0);
      }
      if (options.all) return done(null, found);
      return done(null, found[0]!.address, found[0]!.family);
    });
  };
}

/** Checks a host that is an address already; names are checked when they are looked up. */
export function checkLiteral({ hostname }: URL, loopback: boolean): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) checkAddress(hostname, host, loopback);
}

/** An IPv4 address in IPv6 clothes counts as itself. */
function plain(address: string): string {
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address);
  if (!mapped) return address.toLowerCase();
  if (mapped[1]) return mapped[1];
  const high = Number.parseInt(mapped[2]!, 16);
  const low = Number.parseInt(mapped[3]!, 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
