import { BerthError } from '../../errors/index.ts';
import type { Digest } from '../../oci/index.ts';
import { Transient } from '../http/failure.ts';
import { type RetryPolicy, waitMs } from '../http/retry.ts';
import type { HttpResponse, Transport } from '../http/transport.ts';
import { type Access, type RepositoryName, writePlace } from '../repository.ts';
import type { ApiRequest, Place, Session } from '../session.ts';
import { directSender, slice } from './direct-sender.ts';
import { nextLocation } from './location.ts';
import type { BlobSource, SentChunk, UploadOptions, UploadOutcome } from './ports.ts';

/**
 * A chunk is what a sender has to finish when its engine was killed, and the step of the progress: this part of the blob,
 * within limits.
 */
const CHUNKS = 80;
const LEAST_CHUNK = 512 * 1024;
const LARGEST_CHUNK = 16 * 1024 * 1024;
/** Blobs up to here go with the request that ends the upload. */
const WHOLE = 2 * 1024 * 1024;
/** A registry that answers a chunk this late, for this part of the chunk's time, gets larger ones. */
const SLOW_ANSWER_MS = 50;
const SLOW_ANSWER_PART = 0.15;

/** An upload that the registry knows. Each answer names the place for the next request. */
interface Upload {
  readonly location: URL;
  /** Bytes that the registry has. */
  readonly offset: number;
  readonly minChunk: number;
}

/** What uploads need beside the access that every operation has. */
interface UploadAccess extends Access {
  readonly retry: RetryPolicy;
  readonly transport: Transport;
  /** Fixes the size of chunks, which otherwise depends on the blob and the registry. */
  readonly chunkBytes?: number | undefined;
}

/** The registry does not know the upload any more, or cannot go on with it. */
class UploadLost extends Error {}

/**
 * Brings a blob into a repository: not at all when it is there, by a mount when another repository has it, else in
 * chunks. A broken connection is taken up where the registry says it broke; with a memory, so is a broken process.
 * @throws BerthError `unauthorized`, `forbidden`, `unavailable` after five tries that brought nothing
 * @see distribution-spec, "Pushing blobs"
 */
export async function uploadBlob(
  access: UploadAccess,
  name: RepositoryName,
  source: BlobSource,
  options: UploadOptions = {},
): Promise<UploadOutcome> {
  const { signal, memory, sender = directSender } = options;
  const job = new BlobUpload(access, writePlace(access, name), source, options);
  const isPresent = async (): Promise<boolean> => {
    const present = await job.isPresent();
    // An upload that was noted has served its purpose, also when the process that noted it did not see its end.
    if (present) await memory?.forget(job.key);
    return present;
  };
  if (await isPresent()) return 'present';
  // What an earlier process still sends would make any location that is known now an old one.
  if (memory) await sender.ready(signal);
  let upload = await job.resume(await memory?.recall(job.key));
  for (let failures = 0; ; ) {
    const before = upload?.offset ?? 0;
    try {
      if (upload === undefined) {
        upload = await job.begin();
        if (upload === undefined) return 'mounted';
        await memory?.note(job.key, upload.location.href);
      }
      for (; upload.offset < source.size && source.size > job.wholeUpTo(upload); ) {
        upload = await job.sendChunk(upload);
      }
      await job.finish(upload);
      await memory?.forget(job.key);
      return 'uploaded';
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Transient) && !(error instanceof UploadLost)) throw error;
      failures = (upload?.offset ?? 0) > before ? 1 : failures + 1;
      const passing = error instanceof Transient ? error : undefined;
      if (failures >= access.retry.attempts) throw passing?.error ?? lost(source.digest);
      await access.retry.sleep(waitMs(failures, passing?.afterMs, access.retry), signal);
      // The last request may have arrived although its answer did not.
      if (await isPresent()) return 'uploaded';
      // A sender that died may have noted more than it could tell.
      const known = (await memory?.recall(job.key)) ?? upload?.location.href;
      upload = error instanceof UploadLost ? undefined : await job.resume(known);
    }
  }
}

function lost(digest: Digest): BerthError {
  return new BerthError('unavailable', `the registry lost the upload of ${digest.slice(0, 19)} again and again`);
}

class BlobUpload {
  readonly key: string;
  readonly #session: Session;
  readonly #transport: Transport;
  readonly #fixedChunk: number | undefined;
  readonly #place: Place;
  readonly #source: BlobSource;
  readonly #options: UploadOptions;
  #nextChunk: number;

  constructor(
    { session, transport, chunkBytes }: UploadAccess,
    place: Place,
    source: BlobSource,
    options: UploadOptions,
  ) {
    this.#session = session;
    this.#transport = transport;
    this.#fixedChunk = chunkBytes;
    this.#place = place;
    this.#source = source;
    this.#options = options;
    this.#nextChunk = chunkBytes ?? Math.min(LARGEST_CHUNK, Math.max(LEAST_CHUNK, Math.ceil(source.size / CHUNKS)));
    const { host, repository } = place.endpoint;
    this.key = `${host.authority}/${repository}@${source.digest}`;
  }

  async isPresent(): Promise<boolean> {
    const request = this.#request('HEAD', `blobs/${this.#source.digest}`, { understood: [404] });
    return await this.#session.call(this.#place, request, (response) => {
      response.discard();
      return response.status !== 404;
    });
  }

  /** Small blobs go with the request that ends the upload. */
  wholeUpTo({ offset, minChunk }: Upload): number {
    return offset === 0 ? Math.max(this.#fixedChunk ?? WHOLE, minChunk) : 0;
  }

  /** @returns undefined when the blob was mounted */
  async begin(): Promise<Upload | undefined> {
    for (const from of this.#options.mountFrom ?? []) {
      const query = new URLSearchParams({ mount: this.#source.digest, from });
      const scopes = [`repository:${from}:pull`];
      // Who may not read the source uploads instead.
      const begun = await this.#begin(`blobs/uploads/?${query}`, { scopes, understood: [401, 403, 404] });
      if (begun === 'mounted') return undefined;
      if (begun !== 'refused') return begun;
    }
    const begun = await this.#begin('blobs/uploads/', {});
    if (typeof begun === 'string') throw new UploadLost('the registry did not begin an upload');
    return begun;
  }

  async #begin(path: string, extra: Partial<ApiRequest>): Promise<Upload | 'mounted' | 'refused'> {
    const request = this.#request('POST', path, { headers: { 'Content-Length': '0' }, ...extra });
    return await this.#session.call(this.#place, request, (response) => {
      response.discard();
      if (response.status >= 400) return 'refused';
      if (response.status === 201) return 'mounted';
      return {
        location: nextLocation(response),
        offset: 0,
        minChunk: Number(response.header('oci-chunk-min-length') ?? 0),
      };
    });
  }

  /** Asks how much of an earlier upload the registry has; undefined when nothing can be done with it. */
  async resume(location: string | undefined): Promise<Upload | undefined> {
    if (location === undefined || !URL.canParse(location)) return undefined;
    const url = new URL(location);
    const { origin } = await this.#session.open(this.#place.endpoint.host, this.#options.signal);
    if (url.origin !== origin.origin) return undefined;
    const request = this.#request('GET', url, { understood: [400, 404, 405, 416] });
    return await this.#session.call(this.#place, request, (response) => {
      response.discard();
      if (response.status >= 400) return undefined;
      const offset = endOf(response);
      if (offset === undefined || offset > this.#source.size) return undefined;
      this.#options.onProgress?.(offset);
      return { location: nextLocation(response, url), offset, minChunk: 0 };
    });
  }

  /** Its answer's location is noted by the sender. */
  async sendChunk(upload: Upload): Promise<Upload> {
    const { offset, minChunk, location } = upload;
    const length = Math.min(Math.max(this.#nextChunk, minChunk), this.#source.size - offset);
    const { memory, sender = directSender } = this.#options;
    const note = memory && { memory, key: this.key };
    let sent: SentChunk | undefined;
    const response = await this.#session.once(
      this.#place,
      this.#request('PATCH', location, {
        headers: {
          'Content-Type': 'application/octet-stream',
          'Content-Range': `${offset}-${offset + length - 1}`,
          'Content-Length': String(length),
        },
        via: async ({ url, headers = {}, signal }) => {
          const [source, transport] = [this.#source, this.#transport];
          sent = await sender.send({ url, headers, source, offset, length, note, transport, signal });
          return sent.response;
        },
        understood: [404, 416],
      }),
    );
    response.discard();
    if (response.status >= 400) throw new UploadLost(`PATCH was answered by ${response.status}`);
    this.#options.onProgress?.(offset + length);
    const { waitedMs = 0, tookMs = 0 } = sent ?? {};
    if (waitedMs > SLOW_ANSWER_MS && waitedMs > SLOW_ANSWER_PART * tookMs) {
      this.#nextChunk = this.#fixedChunk ?? Math.min(2 * this.#nextChunk, LARGEST_CHUNK);
    }
    return { location: nextLocation(response, location), offset: offset + length, minChunk };
  }

  /** Sends what is left, and the digest. */
  async finish({ location, offset }: Upload): Promise<void> {
    const { digest, size } = this.#source;
    const url = new URL(location);
    url.searchParams.set('digest', digest);
    const left = size - offset;
    const response = await this.#session.once(
      this.#place,
      this.#request('PUT', url, {
        headers: {
          'Content-Type': 'application/octet-stream',
          'Content-Length': String(left),
          ...(left > 0 && offset > 0 ? { 'Content-Range': `${offset}-${size - 1}` } : {}),
        },
        ...(left > 0 ? { body: () => slice(this.#source, offset, left) } : {}),
        understood: [404, 416],
      }),
    );
    response.discard();
    if (response.status >= 400) throw new UploadLost(`PUT was answered by ${response.status}`);
    const said = response.header('docker-content-digest');
    if (said !== undefined && said !== digest) {
      throw new BerthError('invalid', `the registry took blob ${digest} for ${said.slice(0, 150)}`);
    }
    this.#options.onProgress?.(size);
  }

  #request(method: ApiRequest['method'], path: string | URL, extra: Partial<ApiRequest>): ApiRequest {
    const { repository } = this.#place.endpoint;
    const { signal } = this.#options;
    return { method, path, actions: 'pull,push', doing: `pushing to ${repository}`, signal, ...extra };
  }
}

/** `Range: 0-<last byte>`. Nothing is `0-0`, as is one byte: then the next chunk finds out. */
function endOf(response: HttpResponse): number | undefined {
  const range = /^(?:bytes=)?0-(\d+)$/.exec(response.header('range') ?? '');
  if (!range) return undefined;
  const last = Number(range[1]);
  return last === 0 ? 0 : last + 1;
}
