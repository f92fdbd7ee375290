import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import PQueue from 'p-queue';
import type { Descriptor } from '../../oci/index.ts';
import { Download, type FetchBlob } from './download.ts';
import { SharedWork } from './shared-work.ts';

const PARALLEL = 4;
/** What an interrupted pull left is kept this long, for the case that it is tried again. */
const KEEP_MS = 24 * 3600 * 1000;

/** Downloads of one folder: one a blob, whoever asks for it, and a few at a time. */
export class Downloads {
  readonly #folder: string;
  readonly #queue = new PQueue({ concurrency: PARALLEL });
  readonly #work = new SharedWork<void>();
  readonly #current = new Map<string, { readonly download: Download; users: number }>();

  /** Removes what lies there for longer than a day. */
  constructor(folder: string, now: () => number) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (now() - statSync(path).mtimeMs > KEEP_MS) rmSync(path, { recursive: true, force: true });
    }
  }

  /** Joins or begins the download of a blob. Each caller must `run` it, and `leave` it at the end. */
  join(blob: Descriptor, fetch: FetchBlob): JoinedDownload {
    const key = blob.digest;
    const entry = this.#current.get(key) ?? {
      download: new Download(blob, this.#pathOf(blob)),
      users: 0,
    };
    entry.users += 1;
    this.#current.set(key, entry);
    const { download } = entry;
    return {
      download,
      run: (signal) =>
        this.#work.run(key, signal, async (all) => {
          await this.#queue.add(() => download.run(fetch, all), { signal: all });
        }),
      leave: async ({ keep }) => {
        entry.users -= 1;
        if (entry.users > 0) return;
        if (this.#current.get(key) === entry) this.#current.delete(key);
        if (!keep) await download.remove();
      },
    };
  }

  /** Removes what an earlier process left of a blob, unless somebody downloads it now. */
  async forget(blob: Descriptor): Promise<void> {
    if (!this.#current.has(blob.digest)) await rm(this.#pathOf(blob), { force: true });
  }

  #pathOf({ digest }: Descriptor): string {
    return join(this.#folder, `${digest.replace(':', '-')}.part`);
  }
}

export interface JoinedDownload {
  readonly download: Download;
  /** Resolves when the blob is there and right. */
  run(signal: AbortSignal): Promise<void>;
  leave(options: { readonly keep: boolean }): Promise<void>;
}
