import { type ChildProcess, spawn } from 'node:child_process';
import { BerthError } from '../../../errors/index.ts';
import { Transient } from '../../http/failure.ts';
import type { HttpResponse, Transport } from '../../http/transport.ts';
import type { Chunk, SentChunk } from '../ports.ts';
import type { AnswerMessage, FromSender, ToSender } from './messages.ts';

const CLOSE_MS = 5_000;
const MAX_HEAP = ['--max-old-space-size=64', '--max-semi-space-size=1'];

interface Waiting {
  readonly chunk: Chunk;
  resolve(sent: SentChunk): void;
  reject(error: unknown): void;
}

/** A running sender, as its engine has it. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #told = new Set<string>();
  readonly #waiting = new Map<number, Waiting>();
  #serial = 0;
  #hasAnswered = false;
  isLeaving = false;

  /** @param ended told of its end, and whether it ever answered */
  constructor(
    { script, lockPath }: { readonly script: string; readonly lockPath: string },
    lockFd: number,
    ended: (hasAnswered: boolean) => void,
  ) {
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
