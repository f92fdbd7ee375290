import { parentPort, workerData } from 'node:worker_threads';
import { toBerthError } from '../../errors/index.ts';
import { Ingest, type IngestJob } from './ingest.ts';
import { type LayerJob, runJob } from './jobs.ts';
import type { WorkerReply, WorkerRequest } from './worker-messages.ts';

/** Entry of a layer worker thread: one job, given as its data. It ends with the job. */
const port = parentPort!;
const reply = (message: WorkerReply, moved: readonly ArrayBuffer[] = []): void => port.postMessage(message, moved);

function fail(error: unknown): void {
  const { kind, message, hint } = toBerthError(error);
  reply({ type: 'failed', kind, message, hint });
  port.close();
}

function ingest(job: IngestJob): void {
  const work = new Ingest(job);
  port.on('message', (request: WorkerRequest) => {
    try {
      if (request.type === 'chunk') {
        work.push(request.bytes);
        reply({ type: 'taken', bytes: request.bytes }, [request.bytes.buffer as ArrayBuffer]);
      } else {
        reply({ type: 'done', value: work.end(request.lowers) });
        port.close();
      }
    } catch (error) {
      work.close();
      fail(error);
    }
  });
}

try {
  const job = workerData as LayerJob | IngestJob;
  if (job.kind === 'ingest') ingest(job);
  else {
    reply({ type: 'done', value: runJob(job)! });
    port.close();
  }
} catch (error) {
  fail(error);
}
