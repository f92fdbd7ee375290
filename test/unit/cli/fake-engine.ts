import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { encodeFrame, MULTIPLEXED_STREAM, RAW_STREAM } from '../../../src/api/contract/index.ts';

/** One scripted answer. The first script that fits a request is used; `once` scripts only for one. */
export interface Script {
  /** As `GET /containers/json`, without version and query. */
  readonly on: string;
  readonly once?: boolean;
  readonly status?: number;
  readonly json?: unknown;
  /** JSON lines of a progress stream. */
  readonly lines?: readonly unknown[];
  readonly text?: string;
  /** Frames of a multiplexed stream. */
  readonly frames?: readonly (readonly ['stdout' | 'stderr', string])[];
  /** Upgrades, sends the frames (or `text` as a terminal's output) and closes. */
  readonly hijack?: boolean;
  /** A hijacked stream that sends back what it gets, as stdout, until the client's end. */
  readonly echo?: boolean;
  /** No answer at all. */
  readonly never?: boolean;
}

export interface FakeEngine {
  readonly host: string;
  /** What was asked for: method, path with query, and the body. */
  readonly requests: readonly { readonly line: string; readonly body: Buffer; readonly type: string | undefined }[];
  close(): Promise<void>;
}

/** An engine that knows its answers beforehand, on a unix socket of its own. */
export async function startFakeEngine(scripts: readonly Script[]): Promise<FakeEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));
  const socket = join(folder, 'engine.sock');
  const requests: { line: string; body: Buffer; type: string | undefined }[] = [];
  const spent = new Set<Script>();
  const connections = new Set<Duplex>();
  const find = (request: IncomingMessage): Script | undefined => {
    const path = pathOf(request).split('?')[0];
    const script = scripts.find((candidate) => candidate.on === `${request.method} ${path}` && !spent.has(candidate));
    if (script?.once) spent.add(script);
    return script;
  };
  const note = async (request: IncomingMessage) => {
    if (pathOf(request) === '/_ping') return;
    const entry = {
      line: `${request.method} ${pathOf(request)}`,
      body: Buffer.alloc(0),
      type: request.headers['content-type'],
    };
    requests.push(entry);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    entry.body = Buffer.concat(chunks);
  };
  const server = createServer(async (request, response) => {
    const script = find(request);
    await note(request);
    if (!script?.never) answer(response, script, pathOf(request));
  });
  server.on('upgrade', (request, connection) => {
    requests.push({ line: `${request.method} ${pathOf(request)}`, body: Buffer.alloc(0), type: undefined });
    upgrade(connection, find(request));
  });
  server.on('connection', (connection) => connections.add(connection));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    host: `unix://${socket}`,
    requests,
    async close() {
      for (const connection of connections) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function pathOf(request: IncomingMessage): string {
  return decodeURIComponent((request.url ?? '').replace(/^\/v\d+\.\d+/, '').replaceAll('+', ' '));
}

function answer(response: ServerResponse, script: Script | undefined, path: string): void {
  response.setHeader('Api-Version', '1.50');
  if (path === '/_ping') return void response.end('OK');
  if (!script) return void response.writeHead(404).end(JSON.stringify({ message: `no script for ${path}` }));
  const { status = 200, json, lines, text, frames } = script;
  response.writeHead(status);
  if (lines) response.end(lines.map((line) => `${JSON.stringify(line)}\r\n`).join(''));
  else if (frames)
    response.end(Buffer.concat(frames.map(([stream, content]) => encodeFrame(stream, Buffer.from(content)))));
  else if (text !== undefined) response.end(text);
  else response.end(json === undefined ? undefined : JSON.stringify(json));
}

function upgrade(connection: Duplex, script: Script | undefined): void {
  if (!script) return void connection.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  const type = script.text === undefined ? MULTIPLEXED_STREAM : RAW_STREAM;
  connection.write(
    `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nApi-Version: 1.50\r\n\r\n`,
  );
  connection.on('error', () => {});
  if (script.echo) {
    connection.on('data', (chunk: Buffer) => connection.write(encodeFrame('stdout', chunk)));
    connection.on('end', () => connection.end());
    return;
  }
  for (const [stream, content] of script.frames ?? []) connection.write(encodeFrame(stream, Buffer.from(content)));
  connection.end(script.text);
}
