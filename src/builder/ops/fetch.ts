import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { type ChainId, canonicalJson } from '../../oci/index.ts';
import { gitAuthorization, type Secrets, webAuthorization } from '../credentials.ts';
import type { RemoteOp, SourceGitOp, SourceHttpOp } from '../plan/graph.ts';
import type { BuilderPorts, Layer, StepKey, WebFile } from '../ports.ts';
import { probe } from '../solve/cache-probe.ts';
import { isoTime } from '../solve/iso-time.ts';
import { stepKey } from '../solve/key.ts';

/** A fetched source: a layer on nothing. */
export interface Fetched {
  readonly chain: ChainId;
  /** What later steps' keys know it by. */
  readonly identity: string;
  readonly cached: boolean;
}

export interface FetchJob {
  readonly ports: BuilderPorts;
  /** Some of them are for the servers that are asked. */
  readonly secrets: Secrets;
  readonly slot: string;
  readonly noCache: boolean;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Fetches what ADD names, unless the same version of it is stored. */
export function fetchRemote(op: RemoteOp, job: FetchJob): Promise<Fetched> {
  return op.kind === 'source-http' ? fetchWeb(op, job) : fetchGit(op, job);
}

/** With a checksum, what was fetched once is never asked for again; else the server says whether it has changed. */
async function fetchWeb(op: SourceHttpOp, job: FetchJob): Promise<Fetched> {
  const { url, name, checksum } = op;
  const known = checksum && (await stored(job, stepKey({ kind: 'fetch', name, checksum })));
  if (known) return byContent(known, true);
  const authorization = (host: string) => webAuthorization(job.secrets, host);
  const file = await job.ports.remotes.web(url, { signal: job.signal, authorization });
  try {
    const key =
      checksum === undefined
        ? stepKey({ kind: 'fetch', url, name, version: file.version || randomUUID() })
        : stepKey({ kind: 'fetch', name, checksum });
    const same = checksum === undefined ? await stored(job, key) : undefined;
    if (same) return byContent(same, true);
    return byContent(await make(job, key, (folder) => save(op, file, folder, job)), false);
  } finally {
    file.close();
  }
}

async function save(
  { url, name, checksum }: SourceHttpOp,
  file: WebFile,
  folder: string,
  job: FetchJob,
): Promise<void> {
  const { digest } = await file.save(posix.join(folder, name), job.ports.snapshots.freeBytes());
  if (checksum === undefined || digest === checksum) return;
  throw new BerthError('invalid', `${url} is not what --checksum says: it has ${digest}`, {
    hint: `the file has changed, or the checksum is for another one: wanted ${checksum}`,
  });
}

function byContent({ chainId }: Layer, cached: boolean): Fetched {
  return { chain: chainId, identity: chainId, cached };
}

/** A commit never changes: its id and what is wanted of it are the key. */
async function fetchGit(op: SourceGitOp, job: FetchJob): Promise<Fetched> {
  const { remote, ref, checksum, subDir, keepGitDir, submodules, commitTimes } = op;
  const { remotes } = job.ports;
  const repository = { remote, ref, authorization: gitAuthorization(job.secrets, remote) };
  const isWhole = checksum.length === 40 || checksum.length === 64;
  const commit = isWhole && ref === '' ? checksum : await remotes.commitOf(repository, job);
  if (!commit.startsWith(checksum)) {
    throw new BerthError('invalid', `${ref || 'the default branch'} of ${remote} is commit ${commit}, not ${checksum}`);
  }
  const key = stepKey({
    kind: 'fetch',
    commit,
    options: canonicalJson({ remote, subDir, keepGitDir, submodules, commitTimes }),
  });
  const known = await stored(job, key);
  const options = { subDir, keepGitDir, submodules, commitTimes, signal: job.signal };
  const layer =
    known ?? (await make(job, key, (folder) => remotes.checkOut(repository, commit, { ...options, folder })));
  return { chain: layer.chainId, identity: key.digest, cached: known !== undefined };
}

async function stored({ ports, noCache }: FetchJob, key: StepKey): Promise<Layer | undefined> {
  return noCache ? undefined : (await probe(ports, key))?.layer;
}

async function make(job: FetchJob, key: StepKey, write: (folder: string) => Promise<void>): Promise<Layer> {
  const { snapshots, records } = job.ports;
  const root = await snapshots.prepare(`build-${randomUUID()}`, null);
  let layer: Layer;
  try {
    job.signal.throwIfAborted();
    await write(root.path);
    job.signal.throwIfAborted();
    layer = await snapshots.commit(root);
  } catch (error) {
    await snapshots.discard(root);
    throw error;
  }
  await records.put({ key, slot: job.slot, layer, createdAt: isoTime(job.now()) });
  return layer;
}
