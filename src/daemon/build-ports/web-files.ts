import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { RemoteFiles, WebFile, WebOptions } from '../../builder/ports.ts';
import { BerthError, type ErrorKind } from '../../errors/index.ts';
import { humanSize } from '../../units/index.ts';
import { checkedLookup, checkLiteral, isLoopback } from './web-address.ts';

const MAX_REDIRECTS = 10;
/** A server that says nothing for so long has left. */
const SILENCE_MS = 60_000;
const REDIRECTS = [301, 302, 303, 307, 308];
const KINDS: Readonly<Record<number, ErrorKind>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  410: 'not-found',
};

/** Files of URLs. Redirects stay on the web, and never lead to this machine unless the first URL named it. */
export const webFiles: RemoteFiles['web'] = async (text, options) => {
  const { signal } = options;
  let url = parse(text);
  const loopback = isLoopback(url);
  for (let redirects = 0; ; redirects++) {
    const response = await ask(url, loopback, options);
    const { statusCode = 0, headers } = response;
    if (!REDIRECTS.includes(statusCode) || headers.location === undefined) return fileOf(text, response, signal);
    response.destroy();
    if (redirects === MAX_REDIRECTS)
      throw new BerthError('invalid', `${shown(text)} redirects more than ${MAX_REDIRECTS} times`);
    url = follow(text, url, headers.location);
  }
};

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new BerthError('invalid', `${shown(text)} is not a URL`);
  }
}

function follow(text: string, from: URL, location: string): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (next && /^https?:$/.test(next.protocol)) return next;
  throw new BerthError('forbidden', `${shown(text)} redirects to ${shown(location)}, which is not on the web`);
}

function ask(url: URL, loopback: boolean, { signal, authorization }: WebOptions): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  checkLiteral(url, loopback);
  const send: typeof requestHttp = url.protocol === 'https:' ? requestHttps : requestHttp;
  const secret = authorization?.(url.host);
  const request = send(url, {
    signal,
    agent: false,
    timeout: SILENCE_MS,
    lookup: checkedLookup(loopback),
    // A compressed answer would be another file than the one that was asked for.
    headers: {
      Accept: '*/*',
      'Accept-Encoding': 'identity',
      'User-Agent': 'berth',
      ...(secret === undefined ? {} : { Authorization: secret }),
    },
  });
  request.on('timeout', () => request.destroy(new Error('the server does not answer')));
  request.on('response', resolve);
  request.on('error', (error) => reject(unreachable(url.href, error, signal)));
  request.end();
  return promise;
}

function fileOf(text: string, response: IncomingMessage, signal: AbortSignal): WebFile {
  const { statusCode = 0, statusMessage, headers } = response;
  if (statusCode !== 200) {
    response.destroy();
    const kind = KINDS[statusCode] ?? (statusCode >= 500 ? 'unavailable' : 'invalid');
    throw new BerthError(
      kind,
      `${shown(text)} cannot be read: the server answers ${statusCode} ${statusMessage ?? ''}`.trimEnd(),
    );
  }
  response.on('error', () => {});
  const { etag, 'last-modified': modified } = headers;
  return {
    version: [etag ?? '', modified ?? ''].join(' ').trim(),
    close: () => void response.destroy(),
    async save(path, maxBytes) {
      const size = Number(headers['content-length'] ?? 0);
      if (size > maxBytes) throw tooLarge(text, maxBytes);
      const hash = createHash('sha256');
      let written = 0;
      const bounded = async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          written += chunk.length;
          if (written > maxBytes) throw tooLarge(text, maxBytes);
          hash.update(chunk);
          yield chunk;
        }
      };
      try {
        await pipeline(response, bounded, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
      } catch (error) {
        if (error instanceof BerthError) throw error;
        throw unreachable(text, error as Error, signal);
      }
      const time = modified === undefined ? Number.NaN : Date.parse(modified) / 1000;
      if (time >= 0) await utimes(path, time, time);
      return { digest: `sha256:${hash.digest('hex')}` as Awaited<ReturnType<WebFile['save']>>['digest'] };
    },
  };
}

function tooLarge(text: string, maxBytes: number): BerthError {
  return new BerthError(
    'exhausted',
    `${shown(text)} is larger than the ${humanSize(maxBytes)} that are free on the disk`,
  );
}

function unreachable(text: string, error: Error, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof BerthError) return error;
  return new BerthError('unavailable', `${shown(text)} cannot be read: ${error.message}`, { cause: error });
}

/** Without a user name and password. */
function shown(text: string): string {
  return text.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1');
}
