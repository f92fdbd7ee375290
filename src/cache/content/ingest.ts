import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Digest } from '../../oci/index.ts';
import { tempPath } from '../temp.ts';
import { type Expected, Verifier } from './verify.ts';

export type Source = Uint8Array | AsyncIterable<Uint8Array>;

export interface Ingested {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export interface IngestOptions {
  readonly expected: Expected;
  readonly signal: AbortSignal | undefined;
  /** Gives the finished temp file its place, or leaves it: what is still there afterwards is removed. */
  readonly place: (temp: string, found: Ingested) => Promise<void>;
}

/** Streams content into a temp file, hashing it, makes it durable and hands it over. No temp outlives the call. */
export async function ingest(dataFolder: string, source: Source, options: IngestOptions): Promise<Ingested> {
  const { expected, signal, place } = options;
  const temp = await tempPath(dataFolder, 'blob');
  try {
    const verifier = new Verifier(expected);
    const file = await open(temp, 'wx', 0o600);
    try {
      for await (const chunk of source instanceof Uint8Array ? [source] : source) {
        signal?.throwIfAborted();
        verifier.take(chunk);
        await writeAll(file, chunk);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    const found = { digest: verifier.finish(), sizeBytes: verifier.sizeBytes };
    signal?.throwIfAborted();
    await place(temp, found);
    return found;
  } finally {
    await rm(temp, { force: true });
  }
}

export async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done);
    done += bytesWritten;
  }
}
