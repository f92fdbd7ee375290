import { createHash } from 'node:crypto';
import { type TarEntry, TarParser } from '../../archive/index.ts';
import { BerthError } from '../../errors/index.ts';
import type { DiffId } from '../../oci/index.ts';
import type { TreeSummary } from './jobs.ts';
import type { Replaced } from './replaced.ts';
import { SplitWriter } from './split.ts';
import { Lowers } from './tree/lowers.ts';
import { LayerUnpacker } from './unpack.ts';

/** Where an uncompressed layer tar goes. Crosses into a worker thread. */
export interface IngestJob {
  readonly kind: 'ingest';
  /** A private folder that has an empty `fs/`; `layer.split` and `kept/` are added. */
  readonly folder: string;
  /** The layer has no parent. */
  readonly isLowest: boolean;
  /** Bytes of content that the disk has room for. */
  readonly roomBytes: number;
  readonly maxEntries: number;
  /** Bytes of content in all entries together. */
  readonly maxBytes: number;
}

export interface IngestSummary extends TreeSummary {
  readonly replaced: readonly Replaced[];
}

/** Takes a layer's tar in pieces: unpacks it, computes its digest, and keeps what is needed to give its bytes back. */
export class Ingest {
  readonly #hash = createHash('sha256');
  readonly #unpacker: LayerUnpacker;
  readonly #split: SplitWriter;
  readonly #parser: TarParser;
  #tarBytes = 0;

  constructor(job: IngestJob) {
    const unpacker = new LayerUnpacker(job.folder, job.isLowest);
    const split = new SplitWriter(`${job.folder}/layer.split`);
    this.#unpacker = unpacker;
    this.#split = split;
    let room = job.roomBytes;
    const handler = {
      entry(entry: TarEntry) {
        room -= entry.size;
        if (room < 0) throw diskFull(entry.name);
        unpacker.entry(entry);
        if (entry.size > 0) split.content(unpacker.currentPath, entry.size);
      },
      content: (chunk: Buffer) => unpacker.content(chunk),
      entryEnd: () => unpacker.entryEnd(),
      raw: (bytes: Buffer) => split.raw(bytes),
    };
    this.#parser = new TarParser(handler, { maxEntries: job.maxEntries, maxBytes: job.maxBytes });
  }

  /** @throws BerthError `invalid` for what is no tar or hostile, `exhausted` for what the disk has no room for */
  push(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#tarBytes += chunk.length;
    this.#parser.push(chunk);
  }

  /** @param lowers the parent's layer directories, topmost first: only now they must be there */
  end(lowers: readonly string[]): IngestSummary {
    this.#parser.end();
    this.#unpacker.finish(new Lowers(lowers));
    this.#split.finish();
    return {
      diffId: `sha256:${this.#hash.digest('hex')}` as DiffId,
      tarBytes: this.#tarBytes,
      sizeBytes: this.#unpacker.sizeBytes,
      files: this.#unpacker.files,
      replaced: this.#unpacker.replaced,
    };
  }

  /** Closes its files. Idempotent. */
  close(): void {
    this.#unpacker.close();
    this.#split.close();
  }
}

function diskFull(name: string): BerthError {
  const entry = JSON.stringify(name.slice(0, 300));
  return new BerthError('exhausted', `no space left on the disk that holds Berth's data: ${entry} does not fit`, {
    hint: 'free space there, or set BERTH_ROOT to a folder on a larger disk',
  });
}
