import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError } from '../../../errors/index.ts';
import { abortable } from '../../abortable.ts';
import { Transient } from '../../http/failure.ts';
import type { HttpResponse, Transport } from '../../http/transport.ts';
import { directSender } from '../direct-sender.ts';
import type { Chunk, ChunkSender, SentChunk } from '../ports.ts';
import { LAST_WORK_WAIT_MS } from './limits.ts';
import type { AnswerMessage, FromSender, ToSender } from './messages.ts';

export interface SenderProcessOptions {
  /** The program: `sender/main.ts`, or its bundle. */
  readonly script: string;
  /** Held by the sender as long as it lives, also after this process. One a memory of uploads. */
  readonly lockPath: string;
  /** Takes the exclusive lock of an open file, which its copies in other processes share (flock); false when another has it. */
  readonly lockFile: (fd: number) => boolean;
  /** A sender without work leaves after this. Default 10 s. */
  readonly idleMs?: number;
}

export interface SenderProcess extends ChunkSender {
  /** Aborts what is under way, and waits for the process to end. */
  close(): Promise<void>;
}

const LOCK_POLL_MS = 20;
const CLOSE_MS = 5_000;
/** Senders in a row that ended before they answered anything: after so many, this machine cannot run them. */
const MAX_MUTE = 2;
const MAX_HEAP = ['--max-old-space-size=64', '--max-semi-space-size=1'];

/**
 * Sends chunks from a process that survives a kill of this one: chunks under way are finished, and the next locations
 * noted. It is started for the first chunk, shared by all, and leaves when idle. Chunks of sources without a file, or
 * with a memory without files, are sent from this process; so are all where such a process cannot be had.
 */
export function openSenderProcess(options: SenderProcessOptions): SenderProcess {
  const { idleMs = 10_000 } = options;
  let lock: Promise<number | undefined> | undefined;
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let mute = 0;
  const closing = new AbortController();

  const rest = () => {
    if (worker && !worker.isBusy) idle = setTimeout(() => worker?.leave(), idleMs).unref();
  };
  return {
    async ready(signal) {
      lock ??= takeLock(options, closing.signal);
      await abortable(lock, signal);
    },
    async send(chunk) {
      const path = chunk.note?.memory.fileOf && (await chunk.source.file?.());
      const fd = await lock;
      const isOut = closing.signal.aborted || mute >= MAX_MUTE;
      if (path === undefined || fd === undefined || isOut) return await directSender.send(chunk);
      clearTimeout(idle);
      if (worker === undefined || worker.isLeaving) {
        worker = new Worker(options, fd, (hasAnswered) => {
          mute = hasAnswered ? 0 : mute + 1;
        });
      }
      try {
        return await worker.send(chunk, path);
      } finally {
        clearTimeout(idle);
        rest();
      }
    },
    async close() {
      closing.abort();
      clearTimeout(idle);
      await worker?.end();
      const fd = await lock;
      if (fd !== undefined) closeSync(fd);
      lock = undefined;
    },
  };
}

/** @returns undefined when an earlier sender does not let go of it: it was stopped, or cannot end */
async function takeLock(
  { lockPath, lockFile }: SenderProcessOptions,
  closing: AbortSignal,
): Promise<number | undefined> {
  const fd = openSync(lockPath, 'a', 0o600);
  const deadline = performance.now() + LAST_WORK_WAIT_MS;
  while (!lockFile(fd)) {
    if (closing.aborted || performance.now() > deadline) {
      closeSync(fd);
      return undefined;
    }
    await delay(LOCK_POLL_MS);
  }
  return fd;
}

interface Waiting {
  readonly chunk: Chunk;
  resolve(sent: SentChunk): void;
  reject(error: unknown): void;
}

class Worker {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #told = new Set<string>();
  readonly #waiting = new Map<number, Waiting>();
  #serial = 0;
  #hasAnswered = false;
  isLeaving = false;

  /** @param ended told of its end, and whether it ever answered */
  constructor({ script, lockPath }: SenderProcessOptions, lockFd: number, ended: (hasAnswered: boolean) => void) {
    // The lock's path only tells readers of `ps` whose sender it is.
    this.#process = spawn(process.execPath, [...MAX_HEAP, script, lockPath], {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', lockFd],
      cwd: '/',
    });
    this.#ended = new Promise((resolve) => {
      const gone = (error?: Error) => {
        this.isLeaving = true;
        ended(this.#hasAnswered);
        const failure = new BerthError('unavailable', 'the process that sends layers ended', { cause: error });
        for (const { reject } of this.#waiting.values()) reject(new Transient(failure));
        this.#waiting.clear();
        resolve();
      };
      this.#process.once('error', gone).once('exit', () => gone());
    });
    this.#process.on('message', (message: FromSender) => this.#settle(message));
    this.#process.unref();
    this.#process.channel?.unref();
  }

  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  send(chunk: Chunk, path: string): Promise<SentChunk> {
    const { url, headers, offset, length, note, transport, signal } = chunk;
    signal?.throwIfAborted();
    this.#serial += 1;
    const id = this.#serial;
    return new Promise<SentChunk>((resolve, reject) => {
      const abort = () => {
        this.#waiting.delete(id);
        this.#tell({ kind: 'abort', id });
        reject(signal?.reason);
      };
      const settled = () => signal?.removeEventListener('abort', abort);
      this.#waiting.set(id, {
        chunk,
        resolve: (sent) => {
          settled();
          resolve(sent);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      signal?.addEventListener('abort', abort, { once: true });
      // While somebody waits for an answer, this process stays for it.
      this.#process.channel?.ref();
      this.#tellReach(url, transport);
      const notePath = note?.memory.fileOf?.(note.key) ?? '';
      this.#tell({ kind: 'send', id, url: url.href, headers, path, offset, length, notePath });
    }).finally(() => {
      if (!this.isBusy) this.#process.channel?.unref();
    });
  }

  #tellReach(url: URL, { options }: Transport): void {
    if (this.#told.has(url.origin)) return;
    this.#told.add(url.origin);
    this.#tell({
      kind: 'reach',
      origin: url.origin,
      userAgent: options.userAgent,
      tls: options.tlsFor(url.host),
      proxy: options.proxyFor?.(url)?.href,
      idleTimeoutMs: options.idleTimeoutMs,
    });
  }

  #tell(message: ToSender): void {
    // A sender that is gone is told of by its end.
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  #settle(message: FromSender): void {
    this.#hasAnswered = true;
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    if (message.kind === 'answer') {
      const { tookMs, waitedMs } = message;
      waiting.resolve({ response: responseOf(message, waiting.chunk.url), tookMs, waitedMs });
      return;
    }
    const { kind, message: text, hint } = message.error;
    const error = new BerthError(kind, text, hint === undefined ? {} : { hint });
    waiting.reject(message.isPassing ? new Transient(error) : error);
  }

  /** Lets it go: it ends by itself, after what it has under way. */
  leave(): void {
    this.isLeaving = true;
    if (this.#process.connected) this.#process.disconnect();
  }

  async end(): Promise<void> {
    for (const id of this.#waiting.keys()) this.#tell({ kind: 'abort', id });
    this.leave();
    this.#process.ref();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), CLOSE_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}

function responseOf({ status, headers, body }: AnswerMessage, url: URL): HttpResponse {
  const bytes = Buffer.from(body);
  return {
    status,
    url,
    header: (name) => headers[name.toLowerCase()],
    body: (async function* () {
      yield bytes;
    })(),
    read: async () => bytes,
    discard() {},
  };
}
