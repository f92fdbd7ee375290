import type { IncomingMessage } from 'node:http';
import { BerthError } from '../../errors/index.ts';

const MAX_JSON_BYTES = 16 * 1024 * 1024;
const SLOW_BODY_MS = 60_000;

/** The body of a request, as it comes in. Leaving the loop early keeps the connection, so that an answer still arrives. */
export function bodyStream(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) };
}

/**
 * A small body, whole. A request that is to be upgraded is not parsed beyond its headers: its body comes first on
 * the socket. @returns the body, and what came after it.
 * @throws BerthError `invalid` when it is larger than 16 MiB or comes too slowly
 */
export async function readBody(
  request: IncomingMessage,
  upgradeHead: Buffer | undefined,
): Promise<{ body: Buffer; rest: Buffer }> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > MAX_JSON_BYTES) throw tooLarge();
  const timer = setTimeout(() => request.socket.destroy(), SLOW_BODY_MS);
  try {
    if (upgradeHead === undefined) return { body: await readAll(bodyStream(request)), rest: Buffer.alloc(0) };
    if (request.headers['transfer-encoding'] !== undefined) {
      throw new BerthError('invalid', 'a request that is upgraded needs a Content-Length');
    }
    return await readFromSocket(request, upgradeHead, length);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

async function readFromSocket(
  request: IncomingMessage,
  head: Buffer,
  length: number,
): Promise<{ body: Buffer; rest: Buffer }> {
  const chunks = [head];
  let size = head.length;
  if (size < length) {
    for await (const chunk of request.socket.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= length) break;
    }
  }
  if (size < length) throw new BerthError('invalid', 'the request body ended early');
  const bytes = Buffer.concat(chunks, size);
  return { body: bytes.subarray(0, length), rest: bytes.subarray(length) };
}

function tooLarge(): BerthError {
  return new BerthError('invalid', `the request body is larger than ${MAX_JSON_BYTES / 1024 / 1024} MiB`);
}
