import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import { BerthError, toBerthError } from '../../errors/index.ts';
import type { IngestJob, IngestSummary } from './ingest.ts';
import { Ingest } from './ingest.ts';
import { type JobResult, type LayerJob, runJob } from './jobs.ts';
import type { Budget } from './tree/walk.ts';
import type { WorkerReply, WorkerRequest } from './worker-messages.ts';

/** Below this, work takes less time than a thread needs to start (40 ms), and blocks the event loop for less. */
const INLINE: Budget = { entries: 300, bytes: 8 << 20 };
const INLINE_TAR_BYTES = 256 << 10;
/** Chunks that may wait in a worker. */
const MAX_PENDING = 4;
const BATCH_BYTES = 1 << 20;
/** What passes through dies at once: a usual young generation would only collect 48 MB of it. */
const YOUNG = { maxYoungGenerationSizeMb: 3 };

/** Runs work on trees: small in this thread, large in a worker of its own, so that the engine goes on answering. */
export class Background {
  readonly #script: string | URL;
  readonly #queue = new PQueue({ concurrency: Math.max(2, availableParallelism()) });

  /** @param script `worker.ts`, or its bundle */
  constructor(script: string | URL) {
    this.#script = script;
  }

  async run<J extends LayerJob>(job: J): Promise<JobResult<J>> {
    const result = runJob(job, INLINE);
    if (result !== undefined) return result;
    return this.#queue.add(async () => (await this.#open(job).result) as JobResult<J>);
  }

  /**
   * Feeds a tar to an ingest. Stops it, with its files closed, when the source fails or the signal fires.
   * @param lowers the parent's layer directories, asked for when all of the tar has been taken
   */
  async ingest(
    job: IngestJob,
    tar: AsyncIterable<Uint8Array>,
    {
      lowers,
      signal,
    }: { readonly lowers: () => Promise<readonly string[]>; readonly signal?: AbortSignal | undefined },
  ): Promise<IngestSummary> {
    let head: Uint8Array[] = [];
    let headBytes = 0;
    let thread: IngestThread | undefined;
    try {
      for await (const chunk of tar) {
        signal?.throwIfAborted();
        if (thread === undefined) {
          head.push(chunk);
          headBytes += chunk.length;
          if (headBytes <= INLINE_TAR_BYTES) continue;
          thread = new IngestThread(this.#open(job));
          for (const early of head) await thread.push(early);
          head = [];
        } else await thread.push(chunk);
      }
      signal?.throwIfAborted();
      return await (thread?.end(lowers) ?? ingestHere(job, head, lowers));
    } finally {
      await thread?.stop();
    }
  }

  #open(job: LayerJob | IngestJob): OpenWorker {
    return new OpenWorker(new Worker(this.#script, { workerData: job, resourceLimits: YOUNG }));
  }
}

async function ingestHere(
  job: IngestJob,
  chunks: readonly Uint8Array[],
  lowers: () => Promise<readonly string[]>,
): Promise<IngestSummary> {
  const work = new Ingest(job);
  try {
    for (const chunk of chunks) work.push(chunk);
    return work.end(await lowers());
  } finally {
    work.close();
  }
}

/** A worker thread with one job. */
class OpenWorker {
  readonly result: Promise<unknown>;
  readonly #worker: Worker;
  #pending = 0;
  #ended = false;
  readonly #spare: ArrayBuffer[] = [];
  #onTaken: () => void = () => {};

  constructor(worker: Worker) {
    this.#worker = worker;
    this.result = new Promise((resolve, reject) => {
      worker.on('message', (reply: WorkerReply) => {
        if (reply.type === 'done') resolve(reply.value);
        else if (reply.type === 'failed') {
          reject(new BerthError(reply.kind, reply.message, reply.hint === undefined ? {} : { hint: reply.hint }));
        } else {
          this.#pending -= 1;
          this.#spare.push(reply.bytes.buffer as ArrayBuffer);
          this.#onTaken();
        }
      });
      worker.once('error', (error) => reject(toBerthError(error)));
      worker.once('exit', () => reject(new BerthError('internal', 'a layer worker ended without a result')));
    });
    const end = () => {
      this.#ended = true;
      this.#onTaken();
    };
    // Whoever waits for the result sees its failure; nobody may be waiting yet.
    this.result.then(end, end);
  }

  /** Resolves when there is room for another. @throws what the worker failed with */
  async send(request: WorkerRequest): Promise<void> {
    this.#worker.postMessage(request, request.type === 'chunk' ? [request.bytes.buffer as ArrayBuffer] : []);
    this.#pending += request.type === 'chunk' ? 1 : 0;
    while (this.#pending >= MAX_PENDING && !this.#ended) await new Promise<void>((taken) => (this.#onTaken = taken));
    // What ends before it has taken all has failed.
    if (this.#ended) await this.result;
  }

  /** Memory for a chunk: what the worker is done with, or new. */
  room(): ArrayBuffer {
    return this.#spare.pop() ?? new ArrayBuffer(BATCH_BYTES);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Collects small chunks before they cross into the worker: each crossing has its price. */
class IngestThread {
  readonly #worker: OpenWorker;
  #batch: Uint8Array;
  #length = 0;

  constructor(worker: OpenWorker) {
    this.#worker = worker;
    this.#batch = new Uint8Array(worker.room());
  }

  async push(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + this.#batch.length - this.#length);
      this.#batch.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length === this.#batch.length) await this.#flush();
    }
  }

  async end(lowers: () => Promise<readonly string[]>): Promise<IngestSummary> {
    await this.#flush();
    await this.#worker.send({ type: 'end', lowers: await lowers() });
    return (await this.#worker.result) as IngestSummary;
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  async #flush(): Promise<void> {
    await this.#worker.send({ type: 'chunk', bytes: this.#batch.subarray(0, this.#length) });
    this.#batch = new Uint8Array(this.#worker.room());
    this.#length = 0;
  }
}
