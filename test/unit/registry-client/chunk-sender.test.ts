import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/oci/index.ts';
import {
  type BlobSource,
  type ChunkSender,
  openSenderProcess,
  openUploadMemory,
  type SenderProcess,
} from '../../../src/registry-client/index.ts';
import { directSender } from '../../../src/registry-client/upload/direct-sender.ts';
import { lockFile } from '../../../src/runtime/index.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../../support/fake-registry.ts';
import { until } from '../../support/host.ts';
import { processesWith } from '../../support/leftovers.ts';
import { PullBench } from '../../support/registry-sink.ts';
import { selfSigned } from '../../support/self-signed.ts';

const CHUNK = 1 << 20;
const script = fileURLToPath(new URL('../../../src/registry-client/upload/sender/main.ts', import.meta.url));
const engineLike = fileURLToPath(new URL('../../support/uploading-process.ts', import.meta.url));
const password = 'swordfish';

let folder: string;
let registry: FakeRegistry;
let bench: PullBench;
const opened: SenderProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-senders-'));
});

afterEach(async () => {
  for (const sender of opened.splice(0)) await sender.close();
  bench.dispose();
  await registry.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: FakeRegistryOptions = {}, certificateFolders: readonly string[] = []): Promise<void> {
  registry = await FakeRegistry.start(options);
  const keychain = { find: async () => ({ kind: 'password', username: 'a', password }) as const };
  bench = new PullBench({ uploadChunkBytes: CHUNK, keychain, config: { certificateFolders } });
}

function openProcess(idleMs = 60_000, program = script): SenderProcess {
  const sender = openSenderProcess({ script: program, lockPath: join(folder, 'sender.lock'), lockFile, idleMs });
  opened.push(sender);
  return sender;
}

/** A blob in a file; as streams, its bytes are given in uneven pieces. */
function blobOf(content: Buffer): BlobSource {
  const path = join(folder, createHash('sha256').update(content).digest('hex'));
  writeFileSync(path, content);
  return {
    digest: sha256(content),
    size: content.length,
    file: async () => path,
    async *open(from) {
      for (let place = from; place < content.length; place += 300_001) yield content.subarray(place, place + 300_001);
    },
  };
}

const memoryOf = () => openUploadMemory(join(folder, 'sessions'), Date.now);
const name = () => ({ registry: registry.host, repository: 'team/app' });
const upload = (blob: BlobSource, sender: ChunkSender, signal?: AbortSignal) =>
  bench.client.uploadBlob(name(), blob, { memory: memoryOf(), sender, signal });
const ranges = () =>
  registry.seen('PATCH', /uploads/).map(({ headers }) => Number(String(headers['content-range']).split('-')[0]));
const senders = () => processesWith(folder);

describe.each([
  ['in this process', () => directSender],
  ['a process of its own', () => openProcess()],
] as const)('a sender of chunks: %s', (_, open) => {
  it('brings a blob over, chunk for chunk', async () => {
    await start();
    const content = randomBytes(3 * CHUNK + 12_345);
    const blob = blobOf(content);
    expect(await upload(blob, open())).toBe('uploaded');
    expect(ranges()).toEqual([0, CHUNK, 2 * CHUNK, 3 * CHUNK]);
    expect(registry.blobs.get(`team/app@${blob.digest}`)?.equals(content)).toBe(true);
    expect(readdirSync(join(folder, 'sessions'))).toEqual([]);
  });

  it('has noted where the upload goes on before it answers', async () => {
    await start();
    let serial = 0;
    const noted: string[] = [];
    registry.script(
      'PATCH',
      /uploads/,
      async ({ request, send }) => {
        for await (const _ of request);
        const [file] = readdirSync(join(folder, 'sessions'));
        noted.push(readFileSync(join(folder, 'sessions', file!), 'utf8'));
        serial += 1;
        send(202, { Location: `/v2/team/app/blobs/uploads/u1?state=${serial}` });
      },
      3,
    );
    registry.script('PUT', /uploads/, ({ send }) => send(201));
    await upload(blobOf(randomBytes(3 * CHUNK)), open());
    expect(noted.map((text) => new URL(text).searchParams.get('state'))).toEqual(['x', '1', '2']);
  });

  it('leaves a 401 to its caller, who asks again for the same chunk', async () => {
    await start({ password });
    registry.script('PATCH', /uploads/, async ({ usual }) => {
      await usual();
      registry.tokens.clear();
    });
    const blob = blobOf(randomBytes(2 * CHUNK));
    expect(await upload(blob, open())).toBe('uploaded');
    expect(ranges()).toEqual([0, CHUNK, CHUNK]);
  });

  it('leaves waiting to its caller, and hands the error document over', async () => {
    await start();
    registry.script('PATCH', /uploads/, ({ send }) => send(429, { 'Retry-After': '7' }));
    const sender = open();
    await upload(blobOf(randomBytes(2 * CHUNK)), sender);
    expect(bench.slept).toContain(7000);
    const refusal = '{"errors":[{"code":"DENIED","message":"no space for you"}]}';
    registry.script('PATCH', /uploads/, ({ send }) => send(403, {}, refusal));
    await expect(upload(blobOf(randomBytes(2 * CHUNK)), sender)).rejects.toMatchObject({
      kind: 'forbidden',
      message: expect.stringContaining('no space for you'),
    });
  });

  it('tells of a cut connection as of something that may pass', async () => {
    await start();
    registry.script('PATCH', /uploads/, ({ response }) => void response.destroy());
    const blob = blobOf(randomBytes(2 * CHUNK));
    expect(await upload(blob, open())).toBe('uploaded');
    expect(registry.seen('POST', /uploads/)).toHaveLength(1);
  });

  it('ends at once when it is told to', async () => {
    await start();
    const controller = new AbortController();
    const cut = new Promise<void>((resolve) => {
      registry.script('PATCH', /uploads/, ({ request }) => {
        request.once('close', resolve).resume();
        controller.abort();
      });
    });
    const job = upload(blobOf(randomBytes(64 * CHUNK)), open(), controller.signal);
    await expect(job).rejects.toMatchObject({ name: 'AbortError' });
    await cut;
  });

  it('trusts the roots of the registry’s folder, and no other', async () => {
    await start({ tls: selfSigned }, [join(folder, 'certs.d')]);
    const place = join(folder, 'certs.d', registry.host);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'ca.crt'), selfSigned.cert);
    expect(await upload(blobOf(randomBytes(2 * CHUNK)), open())).toBe('uploaded');
  });
});

describe('a sender process', () => {
  /** Starts an upload in a process like an engine, and kills that while its second chunk is under way. */
  async function killInSecondChunk(content: Buffer) {
    const blob = blobOf(content);
    const path = await blob.file!();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    registry.script(
      'PATCH',
      /uploads/,
      async ({ request, usual }) => {
        if (!request.headers['content-range']?.startsWith('0-')) {
          arrive();
          await released;
        }
        await usual();
      },
      2,
    );
    const engine = spawn(process.execPath, [engineLike, registry.host, 'team/app', blob.digest, path, folder, script], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await arrived;
    const gone = new Promise((resolve) => engine.once('close', resolve));
    engine.kill('SIGKILL');
    await gone;
    return { blob, release };
  }

  it('finishes the chunk of an engine that was killed; the next engine waits for it and goes on behind it', async () => {
    await start();
    const content = randomBytes(4 * CHUNK);
    const { blob, release } = await killInSecondChunk(content);
    expect(senders()).toHaveLength(1);
    const next = upload(blob, openProcess());
    // Whoever comes next asks for nothing but the blob's presence until the chunk has ended.
    await until(() => registry.seen('HEAD', /blobs/).length === 2);
    expect(registry.seen('GET', /uploads/)).toEqual([]);
    release();
    expect(await next).toBe('uploaded');
    expect(registry.seen('POST', /uploads/)).toHaveLength(1);
    expect(ranges()).toEqual([0, CHUNK, 2 * CHUNK, 3 * CHUNK]);
    expect(registry.blobs.get(`team/app@${blob.digest}`)?.equals(content)).toBe(true);
  });

  it('leaves by itself once the chunk of a killed engine is noted', async () => {
    await start();
    const { release } = await killInSecondChunk(randomBytes(4 * CHUNK));
    release();
    await until(() => senders().length === 0);
    expect(ranges()).toEqual([0, CHUNK]);
    expect(readdirSync(join(folder, 'sessions'))).toHaveLength(1);
  });

  it('is one for all uploads, leaves when idle, and comes back', async () => {
    await start();
    const sender = openProcess(50);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    registry.script('PATCH', /uploads/, ({ usual }) => released.then(usual), 2);
    const both = [upload(blobOf(randomBytes(2 * CHUNK)), sender), upload(blobOf(randomBytes(2 * CHUNK)), sender)];
    await until(() => registry.seen('PATCH', /uploads/).length === 2);
    expect(senders()).toHaveLength(1);
    release();
    expect(await Promise.all(both)).toEqual(['uploaded', 'uploaded']);
    await until(() => senders().length === 0);
    expect(await upload(blobOf(randomBytes(2 * CHUNK)), sender)).toBe('uploaded');
  });

  it('is not started for a blob that goes in one request', async () => {
    await start();
    await upload(blobOf(randomBytes(CHUNK)), openProcess());
    expect(senders()).toEqual([]);
  });

  it('that is killed costs its chunk: another one goes on', async () => {
    await start();
    const blob = blobOf(randomBytes(3 * CHUNK));
    registry.script('PATCH', /uploads/, () => {
      for (const pid of senders()) process.kill(pid, 'SIGKILL');
    });
    expect(await upload(blob, openProcess())).toBe('uploaded');
    expect(registry.seen('POST', /uploads/)).toHaveLength(1);
  });

  it('that cannot run is done without', async () => {
    await start();
    const blob = blobOf(randomBytes(3 * CHUNK));
    expect(await upload(blob, openProcess(60_000, '/nonexistent/sender.cjs'))).toBe('uploaded');
    expect(registry.seen('PATCH', /uploads/)).toHaveLength(3);
  });

  it('has no secret in its arguments or environment', async () => {
    await start({ password });
    const seen: string[] = [];
    registry.script('PATCH', /uploads/, ({ usual }) => {
      for (const pid of senders()) {
        for (const file of ['cmdline', 'environ']) seen.push(readFileSync(`/proc/${pid}/${file}`, 'utf8'));
      }
      return usual();
    });
    await upload(blobOf(randomBytes(2 * CHUNK)), openProcess());
    expect(seen).toHaveLength(2);
    expect(seen.join('\n')).not.toMatch(/token-\d|swordfish|Bearer/);
  });

  it('is gone when it was closed', async () => {
    await start();
    const sender = openProcess();
    await upload(blobOf(randomBytes(2 * CHUNK)), sender);
    expect(senders()).toHaveLength(1);
    await sender.close();
    expect(senders()).toEqual([]);
  });
});
