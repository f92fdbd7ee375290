import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type PQueue from 'p-queue';
import { type Descriptor, type Digest, hexOf, mediaTypes } from '../../oci/index.ts';
import type { SharedWork } from '../pull/shared-work.ts';
import { PackJournal } from './pack-journal.ts';
import { type Part, parallelCompress } from './parallel-compress.ts';
import type { PushCompression, PushLayer } from './ports.ts';

const PARALLEL = 4;
/** Parts that may wait to be written. */
const MAX_WAITING = 8;

const forms = {
  /** Level 1 takes half of the time of 5, for a twentieth more bytes. */
  gzip: { suffix: 'gz', mediaType: mediaTypes.ociLayerGzip, level: 1 },
  zstd: { suffix: 'zst', mediaType: mediaTypes.ociLayerZstd, level: 3 },
} as const;

/** What the pushes of one folder share: no two of them write one file. */
export interface SharedPacking {
  readonly folder: string;
  readonly work: SharedWork<Descriptor>;
  /** One layer takes all cores: more at once would only take more memory. */
  readonly queue: PQueue;
  /** Path to the number of layers that are pushed from it now. */
  readonly users: Map<string, number>;
}

/** A layer in the form in which it is pushed, in a file of its own until the push is done. */
export class PackedLayer {
  readonly #layer: PushLayer;
  readonly #form: (typeof forms)['gzip' | 'zstd'];
  readonly #compression: { readonly format: PushCompression['format']; readonly level: number };
  /** Where it lies once it is packed. */
  readonly path: string;
  readonly #shared: SharedPacking;

  constructor(layer: PushLayer, shared: SharedPacking, { format, level }: PushCompression = { format: 'gzip' }) {
    this.#layer = layer;
    this.#shared = shared;
    this.#form = forms[format];
    this.#compression = { format, level: level ?? this.#form.level };
    // One that was made at another level is another file.
    this.path = `${shared.folder}/${hexOf(layer.diffId)}.${this.#compression.level}.${this.#form.suffix}`;
    shared.users.set(this.path, (shared.users.get(this.path) ?? 0) + 1);
  }

  /** True when the file is there already: it is only ever renamed to its name when it is whole. */
  async isPacked(size: number): Promise<boolean> {
    return await stat(this.path).then(
      (stats) => stats.size === size,
      () => false,
    );
  }

  /**
   * Compresses the layer. Blocks that a killed try has left are used as they are.
   * @throws what reading the layer throws, `ENOSPC`
   */
  pack(signal: AbortSignal): Promise<Descriptor> {
    return this.#shared.work.run(this.path, signal, async (all) => {
      const packed = await this.#shared.queue.add(() => this.#pack(all), { signal: all });
      return packed as Descriptor;
    });
  }

  async #pack(signal: AbortSignal): Promise<Descriptor> {
    const { format, level } = this.#compression;
    const temp = `${this.path}.part`;
    const journalPath = `${this.path}.blocks`;
    const hash = createHash('sha256');
    let size = 0;
    try {
      const file = await open(temp, 'a+', 0o600);
      try {
        const start = format === 'gzip' ? 10 : 0;
        const journal = await PackJournal.open(journalPath, { made: `${format} ${level}`, packed: temp, start });
        try {
          const isNew = journal.whole.length === 0;
          await file.truncate(isNew ? 0 : journal.wholeEnd);
          const reuse = (index: number) => readBlock(file, journal.whole[index]);
          const parts = parallelCompress(this.#layer.open(), { ...this.#compression, parallel: PARALLEL, reuse });
          const writes = new WriteQueue();
          try {
            for await (const { kind, bytes } of parts) {
              signal.throwIfAborted();
              hash.update(bytes);
              size += bytes.length;
              if (isWritten(kind, isNew)) continue;
              await writes.add(async () => {
                await file.appendFile(bytes);
                if (kind === 'made') await journal.note(bytes.length);
              });
            }
          } finally {
            await writes.end();
          }
        } finally {
          await journal.close();
        }
      } finally {
        await file.close();
      }
      await rename(temp, this.path);
      await PackJournal.remove(journalPath);
    } catch (error) {
      await Promise.all([rm(temp, { force: true }), PackJournal.remove(journalPath)]);
      throw error;
    }
    const digest = `sha256:${hash.digest('hex')}` as Digest;
    return { mediaType: this.#form.mediaType, digest, size };
  }

  read(from: number): AsyncIterable<Uint8Array> {
    return createReadStream(this.path, { start: from, highWaterMark: 256 * 1024 });
  }

  /** Lets go of the file. `isPushed`: nobody needs it or what a killed try left of it, unless another push does. */
  async leave({ isPushed }: { readonly isPushed: boolean }): Promise<void> {
    const users = (this.#shared.users.get(this.path) ?? 1) - 1;
    if (users > 0) this.#shared.users.set(this.path, users);
    else this.#shared.users.delete(this.path);
    if (!isPushed || users > 0) return;
    const paths = ['', '.part', '.blocks'].map((suffix) => `${this.path}${suffix}`);
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  }
}

/** Writes one after the other, while the next parts are made: in one pool of threads each would wait for the other. */
class WriteQueue {
  readonly #waiting: Promise<void>[] = [];
  #last: Promise<void> = Promise.resolve();

  /** Resolves when there is room for another. @throws what an earlier write failed with */
  async add(write: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(write);
    this.#last.catch(() => {});
    this.#waiting.push(this.#last);
    if (this.#waiting.length > MAX_WAITING) await this.#waiting.shift();
  }

  /** Resolves when all is written. */
  async end(): Promise<void> {
    await this.#last;
  }
}

/** The head of a file that goes on is there, as are the blocks that are used again. */
function isWritten(kind: Part['kind'], isNew: boolean): boolean {
  return kind === 'reused' || (kind === 'head' && !isNew);
}

function readBlock(
  file: FileHandle,
  place: { readonly offset: number; readonly length: number } | undefined,
): Promise<Buffer> | undefined {
  if (place === undefined) return undefined;
  return file.read(Buffer.allocUnsafeSlow(place.length), 0, place.length, place.offset).then(({ buffer }) => buffer);
}
