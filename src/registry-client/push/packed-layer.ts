import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { type Descriptor, type Digest, hexOf, mediaTypes } from '../../oci/index.ts';
import { parallelGzip } from './parallel-gzip.ts';
import type { PushLayer } from './ports.ts';

/** Little is gained above it, and time grows fast. */
const LEVEL = 5;
const PARALLEL = 4;

/** A layer in the form in which it is pushed, in a file of its own until the push is done. */
export class PackedLayer {
  readonly #layer: PushLayer;
  readonly #path: string;

  constructor(layer: PushLayer, folder: string) {
    this.#layer = layer;
    this.#path = `${folder}/${hexOf(layer.diffId)}.gz`;
  }

  /** True when the file is there already: it is only ever renamed to its name when it is whole. */
  async isPacked(size: number): Promise<boolean> {
    return await stat(this.#path).then(
      (stats) => stats.size === size,
      () => false,
    );
  }

  /** @throws what reading the layer throws, `ENOSPC` */
  async pack(signal: AbortSignal): Promise<Descriptor> {
    const temp = `${this.#path}.part`;
    const hash = createHash('sha256');
    let size = 0;
    try {
      const file = await open(temp, 'w', 0o600);
      try {
        for await (const chunk of parallelGzip(this.#layer.open(), { level: LEVEL, parallel: PARALLEL })) {
          signal.throwIfAborted();
          hash.update(chunk);
          size += chunk.length;
          await file.writeFile(chunk);
        }
      } finally {
        await file.close();
      }
      await rename(temp, this.#path);
    } catch (error) {
      await rm(temp, { force: true });
      throw error;
    }
    const digest = `sha256:${hash.digest('hex')}` as Digest;
    return { mediaType: mediaTypes.ociLayerGzip, digest, size };
  }

  read(from: number): AsyncIterable<Uint8Array> {
    return createReadStream(this.#path, { start: from, highWaterMark: 256 * 1024 });
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
