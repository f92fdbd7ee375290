import { parentPort, workerData } from 'node:worker_threads';
import { toBerthError } from '../../errors/index.ts';
import { type FileJob, type FileJobReply, runJob } from './jobs.ts';

/** Entry of a file worker thread: one job in, one reply out. */
function reply(): FileJobReply {
  try {
    return { ok: true, value: runJob(workerData as FileJob) };
  } catch (error) {
    const { kind, message, hint } = toBerthError(error);
    return { ok: false, kind, message, ...(hint === undefined ? {} : { hint }) };
  }
}

parentPort?.postMessage(reply());
