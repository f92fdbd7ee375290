import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { BerthError, type ErrorKind, toBerthError } from '../../errors/index.ts';
import { type CopyJob, copyEntries } from './copy.ts';
import { type DigestJob, digestEntries, type EntryDigest } from './digest.ts';

/** Work on many files, as it crosses into a worker thread. */
export type FileJob =
  | { readonly kind: 'digest'; readonly job: DigestJob }
  | { readonly kind: 'copy'; readonly job: CopyJob & { readonly chmod?: number } };

export type FileJobReply =
  | { readonly ok: true; readonly value: readonly EntryDigest[] | undefined }
  | { readonly ok: false; readonly kind: ErrorKind; readonly message: string; readonly hint?: string };

/** Runs a job in this thread. */
export function runJob(request: FileJob): readonly EntryDigest[] | undefined {
  if (request.kind === 'digest') return digestEntries(request.job);
  copyEntries(request.job);
  return undefined;
}

/** Up to this many entries, a job costs less than starting a thread. */
const INLINE_ENTRIES = 300;

/** Sends large jobs to threads, so that the engine's event loop stays free. Threads end with their job. */
export class FileJobs {
  readonly #script: string | URL;

  constructor(script: string | URL) {
    this.#script = script;
  }

  async digest(job: DigestJob, signal?: AbortSignal): Promise<readonly EntryDigest[]> {
    if (job.entries.length <= INLINE_ENTRIES) return digestEntries(job);
    const parts = Math.min(2, availableParallelism());
    const size = Math.ceil(job.entries.length / parts);
    const slices = Array.from({ length: parts }, (_, part) => job.entries.slice(part * size, (part + 1) * size));
    const replies = await Promise.all(
      slices.map((entries, part) => this.#run({ kind: 'digest', job: partOf(job, entries, part) }, signal)),
    );
    return replies.flatMap((reply) => reply ?? []);
  }

  async copy(job: CopyJob, signal?: AbortSignal): Promise<void> {
    const { chmod } = job;
    if (job.entries.length <= INLINE_ENTRIES || typeof chmod === 'function') copyEntries(job);
    else
      await this.#run(
        { kind: 'copy', job: { ...job, ...(chmod === undefined ? {} : { chmod }) } as CopyJob & { chmod?: number } },
        signal,
      );
  }

  #run(request: FileJob, signal?: AbortSignal): Promise<readonly EntryDigest[] | undefined> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.#script, { workerData: request });
      const abort = () => {
        void worker.terminate();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      worker.once('message', (reply: FileJobReply) => {
        signal?.removeEventListener('abort', abort);
        if (reply.ok) resolve(reply.value);
        else reject(new BerthError(reply.kind, reply.message, reply.hint === undefined ? {} : { hint: reply.hint }));
      });
      worker.once('error', (error) => reject(toBerthError(error)));
      worker.once('exit', () => reject(new BerthError('internal', 'a file worker ended without a reply')));
    });
  }
}

/** Each thread keeps its own part of the stat cache: two writers of one document would undo each other. */
function partOf(job: DigestJob, entries: DigestJob['entries'], part: number): DigestJob {
  if (!job.statCache) return { ...job, entries };
  return { ...job, entries, statCache: { ...job.statCache, contextRoot: `${job.statCache.contextRoot}#${part}` } };
}
