import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ParsedPart, ResponseParser } from '../../../src/api/client/response-parser.ts';

/** Feeds an answer in pieces of the given sizes, the last one as long as needed. */
function feed(wire: string | Buffer, sizes: readonly number[] = [], method = 'GET') {
  const bytes = Buffer.from(wire);
  const parser = new ResponseParser(method);
  const parts: ParsedPart[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    if (at >= bytes.length) break;
    parts.push(parser.push(bytes.subarray(at, at + size)));
    at += size;
    if (parts.at(-1)?.rest !== undefined) break;
  }
  return {
    head: parts.find(({ head }) => head)?.head,
    body: Buffer.concat(parts.flatMap(({ body }) => body)),
    done: parts.at(-1)?.rest !== undefined,
    rest: parts.at(-1)?.rest?.toString(),
    whole: parser.end(),
  };
}

describe('an HTTP answer', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { maxLength: 6 });

  it('in chunks comes back whole, wherever it was cut', () => {
    fc.assert(
      fc.property(chunks, cuts, (parts, sizes) => {
        const coded = parts.flatMap((part) => [
          Buffer.from(`${part.length.toString(16)};x=y\r\n`),
          part,
          Buffer.from('\r\n'),
        ]);
        const wire = Buffer.concat([
          Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
          ...coded,
          Buffer.from('0\r\nT: 1\r\n\r\n'),
        ]);
        const { head, body, done } = feed(wire, sizes);
        expect(head?.status).toBe(200);
        expect(body.equals(Buffer.concat(parts))).toBe(true);
        expect(done).toBe(true);
      }),
    );
  });

  it('of a known length comes back whole, wherever it was cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (payload, sizes) => {
        const wire = Buffer.concat([
          Buffer.from(`HTTP/1.1 404 Not Found\r\ncontent-LENGTH:${payload.length}\r\n\r\n`),
          payload,
        ]);
        const { body, done } = feed(wire, sizes);
        expect(body.equals(Buffer.from(payload))).toBe(true);
        expect(done).toBe(true);
      }),
    );
  });

  it('may go on until the connection ends', () => {
    expect(feed('HTTP/1.1 200 OK\r\n\r\nabc')).toMatchObject({ done: false, whole: true, body: Buffer.from('abc') });
    expect(feed('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc')).toMatchObject({ done: false, whole: false });
  });

  it('has no body after HEAD, 204 and 304', () => {
    expect(feed('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', [], 'HEAD').done).toBe(true);
    for (const status of ['204 No Content', '304 Not Modified'])
      expect(feed(`HTTP/1.1 ${status}\r\n\r\n`).done).toBe(true);
  });

  it('comes after 100 Continue, and leaves the bytes of an upgraded stream', () => {
    expect(feed('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nraw')).toMatchObject({
      head: { status: 101, headers: { upgrade: 'tcp' } },
      rest: 'raw',
    });
  });

  it('tells whether its connection can be used again', () => {
    expect(feed('HTTP/1.1 204 X\r\nConnection: close\r\n\r\n').head?.keepAlive).toBe(false);
    expect(feed('HTTP/1.0 204 X\r\n\r\n').head?.keepAlive).toBe(false);
    expect(feed('HTTP/1.1 204\r\n\r\n').head?.keepAlive).toBe(true);
  });

  it('that is none is refused', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const wire of [
      'SSH-2.0-x\r\n\r\n',
      'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
      `${chunked}zz\r\n`,
      `${chunked}1\r\nabc\r\n`,
      `${chunked}${'0'.repeat(5000)}`,
      'x'.repeat(300_000),
    ]) {
      expect(() => feed(wire), wire.slice(0, 60)).toThrow();
    }
  });
});
