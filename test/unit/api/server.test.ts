import { link, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiServer } from '../../../src/api/server/index.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { CONTAINER_ID, FakeEngine, fakeSystem, noBuilds, noUsage, startTestBed, type TestBed } from './fake-engine.ts';
import { RawConnection } from './raw-connection.ts';

let bed: TestBed;
beforeEach(async () => {
  bed = await startTestBed();
});
afterEach(() => bed.close());

async function ask(request: string, ...headers: string[]): Promise<{ status: number; head: string; body: string }> {
  const connection = new RawConnection(bed.socketPath);
  const [line, ...rest] = [
    request,
    ...headers,
    ...(headers.some((h) => h.startsWith('Host:')) ? [] : ['Host: docker']),
  ];
  connection.send(`${line} HTTP/1.1`, ...rest, 'Connection: close');
  const text = await connection.ended();
  return {
    status: Number(text.split(' ')[1]),
    head: text.slice(0, text.indexOf('\r\n\r\n')),
    body: connection.body.toString(),
  };
}

async function post(
  path: string,
  type: string | undefined,
  body: string,
): Promise<{ status: number; message: string }> {
  const connection = new RawConnection(bed.socketPath);
  const headers = [
    'Host: docker',
    'Connection: close',
    `Content-Length: ${body.length}`,
    ...(type ? [`Content-Type: ${type}`] : []),
  ];
  connection.socket.write(`POST ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
  const text = await connection.ended();
  return {
    status: Number(text.split(' ')[1]),
    message: (JSON.parse(connection.body.toString() || '{}') as { message: string }).message,
  };
}

describe('every answer', () => {
  it('tells the versions, errors too', async () => {
    for (const path of ['/_ping', '/v1.41/version', '/nothing', '/v9.9/info', '/volumes']) {
      const { head } = await ask(`GET ${path}`);
      expect(head, path).toContain('Api-Version: 1.50');
      expect(head, path).toContain('Ostype: linux');
      expect(head, path).toContain('Docker-Experimental: false');
      expect(head, path).toContain('Builder-Version: 1');
      expect(head, path).toContain('Server: Docker/0.1.0 (linux)');
    }
  });

  it('to a ping is OK, and never cached', async () => {
    const { status, head, body } = await ask('GET /_ping');
    expect([status, body]).toEqual([200, 'OK']);
    expect(head).toContain('Cache-Control: no-cache');
    const headOnly = await ask('HEAD /_ping');
    expect([headOnly.status, headOnly.body]).toEqual([200, '']);
  });
});

describe('errors', () => {
  it('of a path that does not exist, is not there yet, or is newer than the asked version', async () => {
    expect(await ask('GET /nothing')).toMatchObject({ status: 404, body: '{"message":"page not found"}\n' });
    expect((await ask('GET /containers/web/checkpoints')).status).toBe(501);
    expect((await ask('GET /nodes')).status).toBe(503);
    expect((await ask('GET /v1.24/system/df')).status).toBe(404);
  });

  it('of versions out of range', async () => {
    expect(await ask('GET /v1.23/info')).toMatchObject({ status: 400, body: expect.stringContaining('is too old') });
    expect(await ask('GET /v1.60/info')).toMatchObject({ status: 400, body: expect.stringContaining('is too new') });
  });

  it('have a status by kind, the message, and the hint beside it', async () => {
    bed.engine.failure = new BerthError('not-found', 'No such container: x', { hint: 'look at docker ps' });
    const { status, body } = await ask('GET /containers/x/json');
    expect(status).toBe(404);
    expect(JSON.parse(body)).toEqual({ message: 'No such container: x', hint: 'look at docker ps' });
  });

  it('"not modified" has no body', async () => {
    bed.engine.failure = new BerthError('not-modified', 'already started');
    expect(await ask('POST /containers/x/start', 'Content-Length: 0')).toMatchObject({ status: 304, body: '' });
  });

  it('that nobody expected are logged, and told without a stack', async () => {
    bed.engine.failure = new TypeError('x is not a function') as BerthError;
    const { status, body } = await ask('GET /containers/x/json');
    expect([status, body]).toEqual([500, '{"message":"x is not a function"}\n']);
    expect(bed.failures).toHaveLength(1);
  });
});

describe('requests', () => {
  it('about networks reach the engine with what they ask for', async () => {
    const send = (path: string, body: object) => post(path, 'application/json', JSON.stringify(body));
    await ask('GET /networks?filters=%7B%22driver%22%3A%7B%22bridge%22%3Atrue%7D%7D');
    await ask('DELETE /networks/front');
    await send('/networks/create', { name: 'front', IPAM: { Config: [{ Subnet: '10.0.0.0/24' }] }, Unknown: 1 });
    await send('/networks/front/connect', { Container: 'web', EndpointConfig: { Aliases: ['www'], NetworkID: '' } });
    await send('/networks/front/disconnect', { Container: 'web', Force: true });
    expect(bed.engine.called('network list')).toEqual([{ filters: new Map([['driver', ['bridge']]]) }]);
    expect(bed.engine.called('network remove')).toEqual(['front']);
    expect(bed.engine.called('network create')).toEqual([
      { Name: 'front', IPAM: { Config: [{ Subnet: '10.0.0.0/24' }] } },
    ]);
    expect(bed.engine.called('network connect')).toEqual(['front', 'web', { Aliases: ['www'] }]);
    expect(bed.engine.called('network disconnect')).toEqual(['front', 'web']);
    expect((await send('/networks/front/connect', {})).status).toBe(400);
    expect((await ask('GET /networks?filters=%7B%22colour%22%3A%5B%22a%22%5D%7D')).status).toBe(400);
  });

  it('reach the engine with their parameters', async () => {
    await ask('POST /v1.41/containers/box/stop?t=-1&signal=SIGINT', 'Content-Length: 0');
    await ask('DELETE /containers/box?force=1&v=true');
    await ask('GET /containers/json?all=1&limit=3&filters=%7B%22name%22%3A%5B%22a%22%5D%7D');
    await ask('POST /commit?container=box&repo=r&tag=t&changes=CMD+a&changes=ENV+b&pause=0', 'Content-Length: 0');
    expect(bed.engine.called('stop')).toEqual(['box', { timeoutSeconds: -1, signal: 'SIGINT' }]);
    expect(bed.engine.called('remove')).toEqual(['box', { force: true, volumes: true }]);
    expect(bed.engine.called('list')).toEqual([
      { all: true, limit: 3, size: false, filters: new Map([['name', ['a']]]) },
    ]);
    expect(bed.engine.called('commit')).toEqual([
      'box',
      { repo: 'r', tag: 't', changes: ['CMD a', 'ENV b'], pause: false },
    ]);
  });

  it('with a value that makes no sense are refused', async () => {
    for (const path of [
      'containers/json?limit=x',
      'containers/json?filters={',
      'containers/json?filters={"a":[]}',
      'events?since=never',
    ]) {
      expect((await ask(`GET /${path}`)).status, path).toBe(400);
    }
    expect((await ask('POST /containers/a/wait?condition=rain', 'Content-Length: 0')).body).toContain(
      'invalid condition',
    );
    expect((await ask('GET /containers/a/logs')).body).toContain('you must choose at least one stream');
  });

  it('with a JSON body need its content type, or none', async () => {
    expect((await post('/containers/create?name=a', 'application/json; charset=utf-8', '{"image":"b"}')).status).toBe(
      201,
    );
    expect(bed.engine.called('create')).toEqual(['a', { Image: 'b' }]);
    expect((await post('/containers/create', undefined, '{}')).status).toBe(201);
    expect(await post('/containers/create', 'text/plain', '{}')).toMatchObject({
      status: 400,
      message: expect.stringContaining('text/plain'),
    });
    expect((await post('/containers/create', 'application/json', '{"a"')).message).toContain('invalid JSON');
    expect((await post('/containers/create', 'application/json', '')).status).toBe(400);
  });
});

describe('hostile requests', () => {
  it('of web pages are refused', async () => {
    for (const header of ['Origin: http://evil.example', 'Origin: null', 'Sec-Fetch-Site: cross-site']) {
      expect((await ask('GET /info', header)).status, header).toBe(403);
    }
  });

  it('by a name that is not ours are refused on TCP only', async () => {
    const port = await bed.server.listenTcp({ host: '127.0.0.1', port: 0 });
    const statusFor = async (host: string) => {
      const connection = new RawConnection(port);
      connection.send('GET /_ping HTTP/1.1', `Host: ${host}`, 'Connection: close');
      return Number((await connection.ended()).split(' ')[1]);
    };
    for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]:80', '192.168.0.1'])
      expect(await statusFor(host), host).toBe(200);
    for (const host of ['evil.example', 'localhost.evil.example:80', '']) expect(await statusFor(host), host).toBe(403);
    expect((await ask('GET /_ping', 'Host: api.moby.localhost')).status).toBe(200);
  });

  it('too large or malformed are refused', async () => {
    expect((await ask('GET /info', `X-Big: ${'x'.repeat(100_000)}`)).status).toBe(431);
    expect((await ask('NONSENSE\u0001 /info')).status).toBe(400);
    expect((await ask('POST /containers/create', 'Content-Length: 5', 'Transfer-Encoding: chunked')).status).toBe(400);
    expect((await ask('POST /containers/create', 'Content-Length: 99999999999')).status).toBe(400);
  });

  it('to listen where others can reach it is refused', async () => {
    await expect(bed.server.listenTcp({ host: '0.0.0.0', port: 0 })).rejects.toMatchObject({ kind: 'forbidden' });
  });
});

describe('the socket', () => {
  const another = () =>
    createApiServer({ engine: new FakeEngine(), system: fakeSystem, builds: noBuilds, usage: noUsage, log: () => {} });

  it('has the mode that was asked for', async () => {
    expect((await stat(bed.socketPath)).mode & 0o777).toBe(0o600);
    const server = another();
    const path = join(bed.socketPath, '..', 'group.sock');
    await server.listenUnix({ path, mode: 0o660 });
    expect((await stat(path)).mode & 0o777).toBe(0o660);
    await server.close();
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('of a living engine is not taken, a dead one is replaced', async () => {
    await expect(another().listenUnix({ path: bed.socketPath })).rejects.toMatchObject({ kind: 'conflict' });
    const dead = join(bed.socketPath, '..', 'dead.sock');
    const holder = createServer().listen(`${dead}x`);
    await new Promise((resolve) => holder.once('listening', resolve));
    await link(`${dead}x`, dead);
    await new Promise((resolve) => holder.close(resolve));
    const server = another();
    await server.listenUnix({ path: dead });
    await server.close();
  });

  it('closes at once, whatever is in flight', async () => {
    const connection = new RawConnection(bed.socketPath);
    connection.send('GET /events HTTP/1.1', 'Host: docker');
    await connection.until(CONTAINER_ID);
    expect(bed.server.activeRequests).toBe(1);
    const begun = performance.now();
    await bed.server.close();
    expect(performance.now() - begun).toBeLessThan(1500);
    expect(bed.server.activeRequests).toBe(0);
    await connection.ended();
  });
});
