import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameDecoder } from '../../../src/api/contract/index.ts';
import type { PullsApi } from '../../../src/api/server/index.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { CONTAINER_ID, startTestBed, type TestBed } from './fake-engine.ts';
import { RawConnection } from './raw-connection.ts';

let bed: TestBed;
let connection: RawConnection;
beforeEach(async () => {
  bed = await startTestBed();
  connection = new RawConnection(bed.socketPath);
});
afterEach(async () => {
  connection.socket.destroy();
  await bed.close();
});

const upgrade = ['Host: docker', 'Connection: Upgrade', 'Upgrade: tcp'];
const frames = () =>
  new FrameDecoder().push(connection.body).map(({ stream, payload }) => `${stream}: ${payload.toString().trimEnd()}`);

describe('attach', () => {
  it('upgrades, and answers after the client has closed its half', async () => {
    connection.send('POST /v1.50/containers/box/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1', ...upgrade);
    await connection.until('\r\n\r\n');
    expect(connection.text).toMatch(
      /^HTTP\/1\.1 101 UPGRADED\r\nContent-Type: application\/vnd\.docker\.multiplexed-stream\r\n/,
    );
    expect(connection.text).toContain('Api-Version: 1.50');
    connection.socket.end('hello\n');
    await connection.ended();
    expect(frames()).toEqual(['stdout: HELLO', 'stderr: bye']);
    expect(bed.engine.called('attach')).toEqual([
      'box',
      { stdin: true, stdout: true, stderr: true, stream: true, logs: false },
    ]);
  });

  it('takes input that came together with the request', async () => {
    connection.socket.write(`POST /containers/box/attach?stdin=1 HTTP/1.1\r\n${upgrade.join('\r\n')}\r\n\r\nearly`);
    connection.socket.end();
    await connection.ended();
    expect(frames()).toEqual(['stdout: EARLY', 'stderr: bye']);
  });

  it('without an upgrade gives the same raw stream after a 200', async () => {
    connection.send('POST /containers/box/attach?stdin=1&stdout=1 HTTP/1.1', 'Host: docker');
    await connection.until('\r\n\r\n');
    expect(connection.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(connection.text).not.toMatch(/content-length|transfer-encoding|upgrade/i);
    connection.socket.write('GET / HTTP/1.1\r\n\r\n');
    await connection.until('GET / HTTP/1.1');
    connection.socket.end();
    await connection.ended();
    expect(frames()).toEqual(['stdout: GET / HTTP/1.1', 'stderr: bye']);
  });

  it('without an upgrade never runs early input as a request', async () => {
    connection.socket.write(
      'POST /containers/box/attach?stdin=1 HTTP/1.1\r\nHost: docker\r\n\r\nPOST /containers/box/kill HTTP/1.1\r\nHost: docker\r\n\r\n',
    );
    await connection.ended();
    expect(bed.engine.called('kill')).toBeUndefined();
  });

  it('is raw with a terminal, and before API 1.42', async () => {
    connection.send('POST /v1.41/containers/box/attach HTTP/1.1', ...upgrade);
    await connection.until('Content-Type: application/vnd.docker.raw-stream');
    const second = new RawConnection(bed.socketPath);
    bed.engine.tty = true;
    second.send('POST /containers/box/attach HTTP/1.1', ...upgrade);
    await second.until('Content-Type: application/vnd.docker.raw-stream');
    second.socket.end('x');
    await second.ended();
    expect(second.body.toString()).toBe('Xbye\n');
  });

  it('that fails answers as any request does', async () => {
    bed.engine.failure = new BerthError('not-found', 'No such container: box');
    connection.send('POST /containers/box/attach HTTP/1.1', ...upgrade);
    expect(await connection.ended()).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(connection.body.toString()).toBe('{"message":"No such container: box"}\n');
    const plain = new RawConnection(bed.socketPath);
    plain.send('POST /containers/box/attach HTTP/1.1', 'Host: docker');
    expect(await plain.ended()).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  });
});

describe('exec start', () => {
  const body = '{"Detach":false,"Tty":false}';
  const head = (extra: readonly string[]) =>
    ['POST /exec/e1/start HTTP/1.1', 'Content-Type: application/json', `Content-Length: ${body.length}`, ...extra].join(
      '\r\n',
    );

  it('reads its body after the upgrade, and the input after that', async () => {
    connection.socket.write(`${head(upgrade)}\r\n\r\n${body.slice(0, 5)}`);
    connection.socket.write(`${body.slice(5)}in`);
    await connection.until('101 UPGRADED');
    connection.socket.end('put');
    await connection.ended();
    expect(frames().join()).toMatch(/^stdout: IN(,stdout: )?PUT,stderr: bye$/);
    expect(bed.engine.called('exec start')).toEqual(['e1', { detach: false, tty: false }]);
  });

  it('works without an upgrade', async () => {
    connection.socket.write(`${head(['Host: docker'])}\r\n\r\n${body}`);
    await connection.until('200 OK');
    connection.socket.end('input');
    await connection.ended();
    expect(frames()).toEqual(['stdout: INPUT', 'stderr: bye']);
  });

  it('detached answers with nothing', async () => {
    const detached = '{"Detach":true}';
    const headers = ['Host: docker', `Content-Length: ${detached.length}`].join('\r\n');
    connection.socket.write(`POST /exec/e1/start HTTP/1.1\r\n${headers}\r\n\r\n${detached}`);
    expect(await connection.ended()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

describe('wait', () => {
  it('sends its headers before the container is started', async () => {
    connection.send('POST /containers/box/wait?condition=next-exit HTTP/1.1', 'Host: docker', 'Content-Length: 0');
    await connection.until('\r\n\r\n');
    expect(bed.engine.calls.map(({ name }) => name)).toEqual(['wait']);
    const starter = new RawConnection(bed.socketPath);
    starter.send('POST /containers/box/start HTTP/1.1', 'Host: docker', 'Content-Length: 0', 'Connection: close');
    expect(await starter.ended()).toContain('204');
    await connection.until('{"StatusCode":7,"Error":null}');
  });

  it('of a container that is not there is an error', async () => {
    bed.engine.failure = new BerthError('not-found', 'No such container: box');
    connection.send('POST /containers/box/wait HTTP/1.1', 'Host: docker', 'Content-Length: 0');
    await connection.until('404 Not Found');
  });
});

describe('a client that goes', () => {
  it('ends the logs that it followed', async () => {
    connection.send('GET /containers/box/logs?stdout=1&stderr=1&follow=1 HTTP/1.1', 'Host: docker');
    await connection.until('err');
    expect(bed.server.activeRequests).toBe(1);
    connection.socket.destroy();
    await bed.engine.abandoned.promise;
  });

  it('ends the wait', async () => {
    connection.send('POST /containers/box/wait HTTP/1.1', 'Host: docker', 'Content-Length: 0');
    await connection.until('\r\n\r\n');
    connection.socket.destroy();
    await bed.engine.abandoned.promise;
  });
});

describe('logs and events', () => {
  it('give lines as frames, with their time when asked', async () => {
    connection.send(
      'GET /containers/box/logs?stdout=1&stderr=1&timestamps=1&tail=5&since=1.5 HTTP/1.1',
      'Host: docker',
      'Connection: close',
    );
    const text = await connection.ended();
    expect(text).toContain('\x01\0\0\0\0\0\0\x232026-01-02T03:04:05.000000006Z out\n');
    expect(text).toContain('\x02\0\0\0\0\0\0\x232026-01-02T03:04:06.000000007Z err\n');
    expect(bed.engine.called('logs')).toMatchObject(['box', { tail: 5, since: 1500, follow: false }]);
  });

  it('tell events as lines, with the older fields', async () => {
    connection.send('GET /events HTTP/1.1', 'Host: docker');
    await connection.until('\n{');
    await connection.until('}\n');
    const line = connection.text.split('\n').find((text) => text.startsWith('{'));
    expect(JSON.parse(line ?? '')).toMatchObject({
      status: 'start',
      id: CONTAINER_ID,
      from: 'busybox',
      Type: 'container',
      Action: 'start',
    });
  });
});

describe('image streams', () => {
  const head = (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: docker\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;

  it('are read and told as JSON lines', async () => {
    connection.socket.write(`${head('/images/create?fromSrc=-&repo=r&tag=t&changes=CMD+x')}3\r\nabc\r\n0\r\n\r\n`);
    expect(await connection.ended()).toContain('{"status":"read 3 bytes"}\r\n');
    expect(bed.engine.called('import')).toEqual([3, { repo: 'r', tag: 't', changes: ['CMD x'] }]);
  });

  it('that fail before they said anything have a status', async () => {
    bed.engine.failure = new BerthError('invalid', 'not a tar');
    connection.socket.write(`${head('/images/load')}3\r\nabc\r\n0\r\n\r\n`);
    expect(await connection.ended()).toMatch(/^HTTP\/1\.1 400/);
  });

  it('cannot be pulled yet', async () => {
    connection.send('POST /images/create?fromImage=busybox&tag=latest HTTP/1.1', 'Host: docker', 'Content-Length: 0');
    await connection.until('pulling images is not available');
  });

  it('save the names that were asked for', async () => {
    connection.send('GET /images/get?names=a&names=b/c:d HTTP/1.1', 'Host: docker', 'Connection: close');
    expect(await connection.ended()).toContain('a b/c:d');
    expect(bed.engine.called('save')).toEqual([['a', 'b/c:d']]);
  });
});

describe('a pull', () => {
  it('hands over the reference, the platform and the credentials, and tells the progress', async () => {
    const asked: unknown[] = [];
    const pulls: PullsApi = {
      async pull(reference, { emit, signal: _, ...options }) {
        asked.push([reference, options]);
        if (reference.includes('@')) throw new BerthError('not-found', 'no such manifest');
        emit({ status: 'Pulling', id: 'a' });
        throw new BerthError('unavailable', 'the registry went away');
      },
    };
    const pulling = await startTestBed({ pulls });
    const auth = Buffer.from('{"username":"u","password":"p"}').toString('base64url');
    const first = new RawConnection(pulling.socketPath);
    const path = '/images/create?fromImage=docker.io/library/busybox';
    first.send(
      `POST ${path}&tag=1&platform=linux/arm64 HTTP/1.1`,
      'Host: d',
      `X-Registry-Auth: ${auth}`,
      'Content-Length: 0',
      'Connection: close',
    );
    expect(await first.ended()).toContain('{"status":"Pulling","id":"a"}\r\n');
    expect(first.text).toContain('"errorDetail":{"message":"the registry went away","kind":"unavailable"}');
    const second = new RawConnection(pulling.socketPath);
    second.send(
      `POST ${path}&tag=sha256:00 HTTP/1.1`,
      'Host: d',
      'X-Registry-Auth: e30=',
      'Content-Length: 0',
      'Connection: close',
    );
    expect(await second.ended()).toMatch(/^HTTP\/1\.1 404/);
    expect(asked).toEqual([
      ['docker.io/library/busybox:1', { platform: 'linux/arm64', auth: { username: 'u', password: 'p' } }],
      ['docker.io/library/busybox@sha256:00', {}],
    ]);
    await pulling.close();
  });
});
