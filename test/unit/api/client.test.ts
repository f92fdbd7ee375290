import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type EngineClient, jsonLines, parseHost } from '../../../src/api/client/index.ts';
import { FrameDecoder } from '../../../src/api/contract/index.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { startTestBed, type TestBed } from './fake-engine.ts';

describe('engine addresses', () => {
  it('are sockets, or hosts with a port', () => {
    expect(parseHost('unix:///run/berth.sock')).toEqual({ kind: 'unix', socketPath: '/run/berth.sock' });
    expect(parseHost('tcp://box:2376')).toEqual({ kind: 'tcp', host: 'box', port: 2376 });
    expect(parseHost('127.0.0.1:5')).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 5 });
    expect(parseHost('tcp://[::1]')).toEqual({ kind: 'tcp', host: '::1', port: 2375 });
  });

  it('are refused when they are something else', () => {
    for (const text of ['unix://relative', 'tcp://', 'a b', 'tcp://x:99999', ''])
      expect(() => parseHost(text), text).toThrow(BerthError);
    expect(() => parseHost('ssh://me@box')).toThrow(/not available yet/);
  });
});

describe('the client', () => {
  let bed: TestBed;
  let client: EngineClient;
  beforeEach(async () => {
    bed = await startTestBed();
    client = createClient({ host: bed.host });
  });
  afterEach(async () => {
    client.close();
    await bed.close();
  });

  it('sends bodies and queries, and reads answers', async () => {
    const created = await client.request('POST', '/containers/create', {
      query: { name: 'a', platform: undefined },
      body: { Image: 'b' },
    });
    expect(created.status).toBe(201);
    expect(await created.json()).toMatchObject({ Warnings: [] });
    expect(bed.engine.called('create')).toEqual(['a', { Image: 'b' }]);
  });

  it('gives the error of the engine, with its kind and hint', async () => {
    for (const kind of ['not-found', 'conflict', 'unsupported', 'exhausted', 'internal', 'cancelled'] as const) {
      bed.engine.failure = new BerthError(kind, `no ${kind}`, { hint: 'try again' });
      await expect(client.request('GET', '/containers/x/json')).rejects.toMatchObject({
        kind,
        message: `no ${kind}`,
        hint: 'try again',
      });
    }
    bed.engine.failure = new BerthError('not-modified', '');
    expect((await client.request('POST', '/containers/x/start')).status).toBe(304);
  });

  it('opens a stream whose input can end before its output', async () => {
    const { socket, tty } = await client.hijack('POST', '/exec/e1/start', { body: { Detach: false, Tty: false } });
    expect(tty).toBe(false);
    socket.end('hello');
    const decoder = new FrameDecoder();
    const frames: string[] = [];
    for await (const chunk of socket)
      for (const { stream, payload } of decoder.push(chunk)) frames.push(`${stream} ${payload}`);
    expect(frames).toEqual(['stdout HELLO', 'stderr bye\n']);
  });

  it('tells a terminal by the content type, and errors as errors', async () => {
    bed.engine.tty = true;
    const { socket, tty } = await client.hijack('POST', '/containers/box/attach', { query: { stream: 1 } });
    expect(tty).toBe(true);
    socket.destroy();
    bed.engine.failure = new BerthError('not-found', 'No such container: box');
    await expect(client.hijack('POST', '/containers/box/attach')).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('stops at its signal', async () => {
    const abort = new AbortController();
    const { stream } = await client.request('POST', '/containers/box/wait', { signal: abort.signal });
    stream.on('error', () => {});
    abort.abort();
    await bed.engine.abandoned.promise;
    await expect(client.request('GET', '/info', { signal: abort.signal })).rejects.toMatchObject({ kind: 'cancelled' });
  });

  it('says what to do when nobody answers', async () => {
    const nobody = createClient({ host: `${bed.host}x` });
    await expect(nobody.request('GET', '/info')).rejects.toMatchObject({ kind: 'unavailable', hint: 'is it running?' });
  });
});

describe('with an older engine', () => {
  let server: Server;
  let client: EngineClient;
  const asked: string[] = [];
  beforeEach(async () => {
    asked.length = 0;
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.setHeader('Api-Version', '1.45');
      request.resume().on('end', () => {
        if (request.url?.startsWith('/v1.50'))
          response.writeHead(400).end('{"message":"client version 1.50 is too new"}');
        else response.end('{}');
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    client = createClient({ host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterEach(() => {
    client.close();
    server.close();
  });

  it('the client goes down to its version, and stays there', async () => {
    await (await client.request('GET', '/info')).text();
    await (await client.request('GET', '/version')).text();
    expect(asked).toEqual(['/v1.50/info', '/v1.45/info', '/v1.45/version']);
  });

  it('a stream is sent once, at the right version', async () => {
    await (await client.request('POST', '/images/load', { body: Readable.from([Buffer.from('tar')]) })).text();
    expect(asked).toEqual(['/_ping', '/v1.45/images/load']);
  });
});

describe('with connections that break', () => {
  let server: NetServer;
  let client: EngineClient;
  let replies: ((socket: Socket) => void)[];
  const requests: string[] = [];
  beforeEach(async () => {
    requests.length = 0;
    server = createNetServer((socket) => {
      socket
        .on('error', () => {})
        .on('data', (chunk) => {
          requests.push(chunk.toString().split(' HTTP')[0] ?? '');
          replies.shift()?.(socket);
        });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    client = createClient({ host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterEach(() => {
    client.close();
    server.close();
  });
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

  it('asks again when a kept connection was closed meanwhile', async () => {
    replies = [(socket) => socket.write(ok), (socket) => socket.destroy(), (socket) => socket.end(ok)];
    expect(await (await client.request('GET', '/a')).text()).toBe('ok');
    expect(await (await client.request('GET', '/b')).text()).toBe('ok');
    expect(requests).toEqual(['GET /v1.50/a', 'GET /v1.50/b', 'GET /v1.50/b']);
  });

  it('says that an answer was cut off, and does not ask again', async () => {
    replies = [(socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok')];
    const { stream } = await client.request('GET', '/a');
    await expect(stream.toArray()).rejects.toMatchObject({ kind: 'unavailable' });
    expect(requests).toHaveLength(1);
  });

  it('never writes a path or header that would end early', async () => {
    replies = [];
    await expect(client.request('GET', '/a b')).rejects.toMatchObject({ kind: 'invalid' });
    await expect(client.request('GET', '/a', { headers: { X: 'a\r\nY: b' } })).rejects.toMatchObject({
      kind: 'invalid',
    });
    expect(requests).toEqual([]);
  });
});

describe('JSON lines', () => {
  const read = async (...chunks: string[]) => {
    const values: unknown[] = [];
    for await (const value of jsonLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk, 'latin1')))))
      values.push(value);
    return values;
  };

  it('may be cut anywhere, in the middle of a character too', async () => {
    expect(await read('{"a":1}\r\n{"b', '":"\xc3', '\xa9"}\n\n', '{"c":3}')).toEqual([
      { a: 1 },
      { b: '\u00e9' },
      { c: 3 },
    ]);
  });

  it('end with the error that they tell', async () => {
    await expect(read('{"error":"e","errorDetail":{"message":"m","kind":"conflict"}}\n')).rejects.toMatchObject({
      kind: 'conflict',
      message: 'm',
    });
    await expect(read('{"error":"e"}\n')).rejects.toMatchObject({ kind: 'internal', message: 'e' });
    await expect(read('{"error"\n')).rejects.toThrow(/not JSON/);
  });
});
