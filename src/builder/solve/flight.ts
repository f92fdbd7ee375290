import { StringDecoder } from 'node:string_decoder';

/** What a running step tells those who wait for it. */
export type FlightNews =
  | { readonly type: 'missed'; readonly reason: string }
  | { readonly type: 'log'; readonly stream: 'stdout' | 'stderr'; readonly text: string };

const MAX_REPLAY = 256 * 1024;

/** One step that is being made, shared by all builds that need it. */
export class Flight<T> {
  readonly controller = new AbortController();
  /** Set right after construction: the work needs the flight itself. */
  result!: Promise<T>;
  /** Writes that go on after the result is known. Until they end, the key counts as in flight. */
  readonly held: Promise<unknown>[] = [];
  /** The build whose folders the work reads has left: should the work fail now, that says nothing to the others. */
  isOrphan = false;
  #waiters = 0;
  #news: FlightNews[] = [];
  #newsSize = 0;
  readonly #listeners = new Set<(news: FlightNews) => void>();
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };

  /** Resolves when the result is known and all that is held has ended, well or not. */
  async landed(): Promise<void> {
    await Promise.allSettled([this.result]);
    await Promise.allSettled(this.held);
  }

  /** Tells what happened so far, then what happens. */
  join(listener: (news: FlightNews) => void): void {
    this.#waiters++;
    for (const news of this.#news) listener(news);
    this.#listeners.add(listener);
  }

  /** @returns true when nobody waits any more */
  leave(listener: (news: FlightNews) => void): boolean {
    this.#listeners.delete(listener);
    this.#waiters--;
    return this.#waiters === 0;
  }

  missed(reason: string): void {
    this.#tell({ type: 'missed', reason });
  }

  output(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const text = this.#decoders[stream].write(chunk);
    if (text !== '') this.#tell({ type: 'log', stream, text });
  }

  #tell(news: FlightNews): void {
    this.#news.push(news);
    this.#newsSize += sizeOf(news);
    // Late joiners get the end of a long log.
    while (this.#newsSize > MAX_REPLAY && this.#news.length > 2) {
      const at = this.#news.findIndex((item) => item.type === 'log');
      const [dropped] = this.#news.splice(at, 1);
      this.#newsSize -= dropped ? sizeOf(dropped) : 0;
    }
    for (const listener of this.#listeners) listener(news);
  }
}

function sizeOf(news: FlightNews): number {
  return news.type === 'log' ? news.text.length : 0;
}
