import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { BerthError } from '../../errors/index.ts';

export type Transport = 'unix' | 'tcp';

/**
 * Refuses what only a web page would send. The API has no login on loopback, so a page that the user happens to
 * visit must not reach it: not by a cross-site request, and not by a host name that it points at 127.0.0.1.
 * @throws BerthError `forbidden`
 */
export function refuseBrowsers(request: IncomingMessage, transport: Transport): void {
  const { headers } = request;
  const site = headers['sec-fetch-site'];
  if (headers.origin !== undefined || (site !== undefined && site !== 'none')) {
    throw new BerthError('forbidden', 'requests from web pages are refused');
  }
  if (transport === 'tcp' && !isLocalName(headers.host ?? '')) {
    throw new BerthError(
      'forbidden',
      `the Host header ${JSON.stringify((headers.host ?? '').slice(0, 200))} is not a name of this engine`,
      {
        hint: 'use localhost or an IP address',
      },
    );
  }
}

/** An address cannot be rebound to another machine; of names only localhost cannot. */
function isLocalName(host: string): boolean {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  return name === 'localhost' || isIP(name) !== 0;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
