import { decompress, readTar } from '../../../src/archive/index.ts';
import type { CommittedLayer, EngineSnapshots } from '../../../src/engine/ports.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { type ChainId, chainId, type DiffId, sha256 } from '../../../src/oci/index.ts';

type Layer = CommittedLayer & { readonly tarBytes: number; readonly parent: ChainId | null; readonly tar: Buffer };

/** Layers in memory: what images need of `EngineSnapshots`. Containers have no place here. */
export class FakeSnapshots implements EngineSnapshots {
  readonly driver = 'fake';
  readonly layers = new Map<ChainId, Layer>();
  /** How often layers were read from a stream. */
  applied = 0;

  async has(chain: ChainId) {
    return this.layers.has(chain);
  }

  async apply(
    parent: ChainId | null,
    tar: AsyncIterable<Uint8Array>,
    options: { readonly expected?: DiffId; readonly signal?: AbortSignal } = {},
  ): Promise<CommittedLayer> {
    if (parent !== null && !this.layers.has(parent)) throw new Error(`no parent ${parent}`);
    this.applied += 1;
    const chunks: Uint8Array[] = [];
    for await (const chunk of decompress(tar)) {
      options.signal?.throwIfAborted();
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    const diffId: DiffId = sha256(bytes);
    if (options.expected !== undefined && options.expected !== diffId) {
      throw new BerthError('invalid', `layer has diff id ${diffId} instead of ${options.expected}`);
    }
    let sizeBytes = 0;
    for await (const { entry } of readTar(once(bytes))) {
      if (entry.name.split('/').includes('..')) throw new BerthError('invalid', `hostile entry ${entry.name}`);
      sizeBytes += entry.size;
    }
    const layer = { chainId: chainId(parent, diffId), diffId, sizeBytes, tarBytes: bytes.length, parent, tar: bytes };
    this.layers.set(layer.chainId, layer);
    return layer;
  }

  async *layerTar(chain: ChainId) {
    const layer = this.layers.get(chain);
    if (layer === undefined) throw new BerthError('not-found', `no layer ${chain}`);
    for (let at = 0; at < layer.tar.length; at += 1000) yield layer.tar.subarray(at, at + 1000);
  }

  async layerInfo(chain: ChainId) {
    return this.layers.get(chain);
  }

  async removeLayer(chain: ChainId) {
    for (const { parent } of this.layers.values()) {
      if (parent === chain) throw new BerthError('conflict', `${chain} has a child`);
    }
    this.layers.delete(chain);
  }

  create = notHere;
  mount = notHere;
  unmount = notHere;
  remove = notHere;
  ids = notHere;
  commitCopy = notHere;
  usage = notHere;
  exportTar = (): never => {
    throw new Error('not part of this fake');
  };
}

async function notHere(): Promise<never> {
  throw new Error('not part of this fake');
}

async function* once(bytes: Buffer) {
  yield bytes;
}
