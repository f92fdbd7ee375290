import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { decompress } from '../../src/archive/index.ts';
import { BerthError } from '../../src/errors/index.ts';
import { type ChainId, chainId, type DiffId, parseReference, sha256 } from '../../src/oci/index.ts';
import {
  createPuller,
  createRegistryClient,
  type Puller,
  type PullMessage,
  type PullRequest,
  type PullSink,
  type RegistryClient,
  type RegistryClientOptions,
} from '../../src/registry-client/index.ts';

/** A store in memory that a pull may fill. */
export class MemorySink implements PullSink {
  readonly layers = new Map<ChainId, Buffer>();
  readonly images = new Map<string, string>();
  readonly held = new Set<readonly ChainId[]>();
  applied = 0;

  async hold(chains: readonly ChainId[]): Promise<() => void> {
    this.held.add(chains);
    return () => this.held.delete(chains);
  }

  async hasImage(id: string): Promise<boolean> {
    return [...this.images.values()].includes(id);
  }

  async hasLayer(chain: ChainId): Promise<boolean> {
    return this.layers.has(chain);
  }

  async applyLayer(
    parent: ChainId | null,
    tar: AsyncIterable<Uint8Array>,
    { expected }: { readonly expected: DiffId; readonly signal: AbortSignal },
  ): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of decompress(tar)) chunks.push(chunk);
    const content = Buffer.concat(chunks);
    if (sha256(content) !== expected) throw new BerthError('invalid', `the layer's content is not ${expected}`);
    this.applied += 1;
    this.layers.set(chainId(parent, expected), content);
  }

  async removeLayers(chains: readonly ChainId[]): Promise<void> {
    const needed = [...this.held].flat();
    for (const chain of chains) if (!needed.includes(chain)) this.layers.delete(chain);
  }

  async putImage(image: Parameters<PullSink['putImage']>[0]): Promise<{ isNew: boolean }> {
    const id = sha256(image.configBytes);
    const names = [...image.names, ...image.repoDigests];
    const isNew = names.some((name) => this.images.get(name) !== id);
    for (const name of names) this.images.set(name, id);
    return { isNew };
  }
}

/** A client and a puller that never wait: what they would have slept is written down. */
export class PullBench {
  readonly sink = new MemorySink();
  readonly messages: PullMessage[] = [];
  readonly slept: number[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-pull-'));
  readonly client: RegistryClient;
  readonly puller: Puller;
  clock = Date.parse('2026-01-01T00:00:00Z');

  constructor(options: Partial<RegistryClientOptions> = {}) {
    const now = () => this.clock;
    const sleep = async (ms: number) => {
      this.slept.push(ms);
      this.clock += ms;
    };
    this.client = createRegistryClient({
      userAgent: 'test',
      now,
      ...options,
      retry: { sleep, random: () => 1, ...options.retry },
    });
    this.puller = createPuller({ folder: this.folder, sink: this.sink, now });
  }

  pull(name: string, options: Partial<PullRequest> & { readonly client?: RegistryClient } = {}): Promise<void> {
    return this.puller.pull(options.client ?? this.client, {
      reference: parseReference(name),
      platform: { os: 'linux', architecture: 'amd64' },
      isPlatformFixed: false,
      emit: (message) => this.messages.push(message),
      signal: new AbortController().signal,
      ...options,
    });
  }

  /** Files of downloads that are left. */
  left(): readonly string[] {
    return readdirSync(this.folder);
  }

  statuses(): readonly string[] {
    return this.messages.map(({ id, status }) => (id ? `${id}: ${status}` : status));
  }

  dispose(): void {
    this.client.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A layer as a registry has it. The sink does not look into its tar. */
export function layer(text: string): { readonly blob: Buffer; readonly diffId: DiffId } {
  const content = Buffer.from(text);
  return { blob: gzipSync(content), diffId: sha256(content) };
}
