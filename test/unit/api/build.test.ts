import { afterEach, describe, expect, it } from 'vitest';
import { createClient, type EngineClient, jsonLines } from '../../../src/api/client/index.ts';
import type { JsonMessage } from '../../../src/api/contract/index.ts';
import type { BuildInput, BuildsApi } from '../../../src/api/server/index.ts';
import type { BuildEvent, VertexInfo } from '../../../src/builder/events.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { sha256 } from '../../../src/oci/index.ts';
import { IMAGE_ID, startTestBed, type TestBed } from './fake-engine.ts';

const vertex = (id: string, name: string, line?: number): VertexInfo => ({
  id,
  name,
  digest: sha256(id),
  inputs: [],
  ...(line === undefined ? {} : { line }),
});

const story: readonly BuildEvent[] = [
  {
    type: 'started',
    at: 1,
    vertices: [
      vertex('c', '[internal] context'),
      vertex('f', '[1/3] FROM busybox', 1),
      vertex('r', '[2/3] RUN make', 2),
      vertex('s', '[side 1/1] RUN other', 4),
    ],
  },
  { type: 'vertex-started', at: 1, vertex: 'c' },
  { type: 'vertex-cached', at: 2, vertex: 'f' },
  { type: 'vertex-started', at: 3, vertex: 'r' },
  { type: 'vertex-started', at: 3, vertex: 's' },
  { type: 'vertex-log', at: 4, vertex: 's', stream: 'stdout', text: 'side\n' },
  { type: 'vertex-log', at: 5, vertex: 'r', stream: 'stdout', text: 'made\n' },
  { type: 'vertex-finished', at: 6, vertex: 'r' },
  { type: 'vertex-finished', at: 7, vertex: 's' },
  { type: 'exported', at: 8, image: IMAGE_ID, names: ['docker.io/library/x:y'] },
];

let bed: TestBed | undefined;
let client: EngineClient | undefined;
afterEach(async () => {
  client?.close();
  await bed?.close();
});

async function withBuilds(build: BuildsApi['build']): Promise<EngineClient> {
  bed = await startTestBed({ builds: { build } });
  client = createClient({ host: bed.host });
  return client;
}

/** A builder that tells the story, after it has read its context. */
function storyteller(seen: { input?: BuildInput; context?: string } = {}): BuildsApi['build'] {
  return async (input, { emit }) => {
    seen.input = input;
    if (input.source.kind === 'tar')
      for await (const chunk of input.source.stream)
        seen.context = `${seen.context ?? ''}${Buffer.from(chunk).toString()}`;
    for (const event of story) emit(event);
    return { image: IMAGE_ID };
  };
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<JsonMessage[]> {
  const messages: JsonMessage[] = [];
  for await (const message of jsonLines(stream)) messages.push(message);
  return messages;
}

describe('a build of the classic client', () => {
  it('gets its story told step by step, parallel steps one after the other', async () => {
    const seen: { input?: BuildInput; context?: string } = {};
    const engine = await withBuilds(storyteller(seen));
    const query = {
      t: ['x:y', 'z'],
      buildargs: { A: '1', B: null },
      labels: { l: 'v' },
      target: 'side',
      nocache: 1,
      dockerfile: 'D',
      platform: 'linux/amd64',
      version: '1',
    };
    const response = await engine.request('POST', '/build', {
      query,
      body: chunks('tar ', 'bytes'),
      headers: { 'Content-Type': 'application/x-tar' },
    });
    const messages = await collect(response.stream);
    expect(messages.map(({ stream }) => stream ?? '').join('')).toBe(
      'Step 1/3 : FROM busybox\n ---> Using cache\nStep 2/3 : RUN make\nmade\nStep 3/3 : RUN other\nside\n' +
        'Successfully built 111111111111\nSuccessfully tagged x:y\n',
    );
    expect(messages).toContainEqual({ aux: { ID: IMAGE_ID } });
    expect(seen.context).toBe('tar bytes');
    expect(seen.input).toMatchObject({
      source: { kind: 'tar' },
      dockerfile: { kind: 'in-context', path: 'D' },
      names: ['x:y', 'z'],
      buildArgs: { A: '1', B: null },
      labels: { l: 'v' },
      target: 'side',
      noCache: true,
      platform: 'linux/amd64',
    });
  });

  it('that is quiet gets the id only', async () => {
    const engine = await withBuilds(storyteller());
    const { stream } = await engine.request('POST', '/build', { query: { q: 1 }, body: chunks('x') });
    expect(await collect(stream)).toEqual([{ aux: { ID: IMAGE_ID } }, { stream: `${IMAGE_ID}\n` }]);
  });

  it('that fails in the middle ends with the reason', async () => {
    const engine = await withBuilds(async (_input, { emit }) => {
      for (const event of story.slice(0, 7)) emit(event);
      throw new BerthError('invalid', 'make returned 2', { hint: 'look at line 2' });
    });
    const { stream } = await engine.request('POST', '/build', { body: chunks('x') });
    await expect(collect(stream)).rejects.toMatchObject({
      kind: 'invalid',
      message: 'make returned 2',
      hint: 'look at line 2',
    });
  });

  it('that fails before anything was said has a status', async () => {
    const engine = await withBuilds(async () => {
      throw new BerthError('invalid', 'unknown instruction: RNU');
    });
    const failed = engine.request('POST', '/build', { body: chunks('x'.repeat(1_000_000)) });
    await expect(failed).rejects.toMatchObject({ kind: 'invalid', message: 'unknown instruction: RNU' });
  });

  it('is refused when it asks for what is not there', async () => {
    const engine = await withBuilds(storyteller());
    for (const query of [{ memory: 5 }, { squash: 1 }, { pull: 1 }, { extrahosts: '["a:1"]' }, { version: 2 }]) {
      await expect(engine.request('POST', '/build', { query }), JSON.stringify(query)).rejects.toMatchObject({
        kind: 'unsupported',
      });
    }
    await expect(engine.request('POST', '/build', { query: { buildargs: '[1]' } })).rejects.toMatchObject({
      kind: 'invalid',
    });
  });

  it('is cancelled when the client goes', async () => {
    const cancelled = Promise.withResolvers<void>();
    const engine = await withBuilds(async (_input, { emit, signal }) => {
      emit(story[0]!);
      emit(story[2]!);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      cancelled.resolve();
      throw signal.reason;
    });
    const abort = new AbortController();
    const { stream } = await engine.request('POST', '/build', { body: chunks('x'), signal: abort.signal });
    stream.on('error', () => {});
    stream.once('data', () => abort.abort());
    await cancelled.promise;
  });
});

describe('a client that stops reading', () => {
  it('is dropped, and its build cancelled, before it fills the memory', async () => {
    const cancelled = Promise.withResolvers<void>();
    const engine = await withBuilds(async (_input, { emit, signal }) => {
      emit(story[0]!);
      emit(story[2]!);
      emit(story[3]!);
      const text = 'x'.repeat(1024 * 1024);
      for (let i = 0; i < 200 && !signal.aborted; i++) {
        emit({ type: 'vertex-log', at: 1, vertex: 'r', stream: 'stdout', text });
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (signal.aborted) cancelled.resolve();
      return { image: IMAGE_ID };
    });
    const { stream } = await engine.request('POST', '/build', { body: chunks('x') });
    await cancelled.promise;
    stream.destroy();
  });
});

describe('a build of our own client', () => {
  const events = { 'berth-events': 1 };

  it('gets every event as it is, then the image', async () => {
    const seen: { input?: BuildInput } = {};
    const engine = await withBuilds(storyteller(seen));
    const query = {
      ...events,
      'berth-context': '/src',
      'berth-dockerfile': '/other/Dockerfile',
      'berth-epoch': 5,
      networkmode: 'none',
    };
    const { stream } = await engine.request('POST', '/build', { query });
    expect(await collect(stream)).toEqual([
      ...story.map((aux) => ({ id: 'berth.event', aux })),
      { aux: { ID: IMAGE_ID } },
    ]);
    expect(seen.input).toMatchObject({
      source: { kind: 'path', path: '/src' },
      dockerfile: { kind: 'file', path: '/other/Dockerfile' },
      sourceDateEpoch: 5,
      network: 'none',
    });
  });

  it('may send the Dockerfile itself, with or without a folder', async () => {
    const seen: { input?: BuildInput } = {};
    const engine = await withBuilds(storyteller(seen));
    const given = { body: 'FROM scratch\n', headers: { 'Content-Type': 'text/x-dockerfile' } };
    await (await engine.request('POST', '/build', { query: events, ...given })).text();
    expect(seen.input).toMatchObject({
      source: { kind: 'dockerfile-only' },
      dockerfile: { kind: 'text', text: 'FROM scratch\n' },
    });
    await (await engine.request('POST', '/build', { query: { ...events, 'berth-context': '/src' }, ...given })).text();
    expect(seen.input).toMatchObject({ source: { kind: 'path', path: '/src' }, dockerfile: { kind: 'text' } });
  });

  it('may name folders of this machine on the local socket only', async () => {
    const local = await withBuilds(storyteller());
    await expect(local.request('POST', '/build', { query: { 'berth-context': 'src' } })).rejects.toMatchObject({
      kind: 'invalid',
    });
    const port = await bed!.server.listenTcp({ host: '127.0.0.1', port: 0 });
    const remote = createClient({ host: `127.0.0.1:${port}` });
    await expect(remote.request('POST', '/build', { query: { 'berth-context': '/src' } })).rejects.toMatchObject({
      kind: 'forbidden',
    });
    remote.close();
  });
});

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
