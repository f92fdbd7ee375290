import { Readable } from 'node:stream';

/** The body of an answer, at the reader's speed. */
export class ResponseBody extends Readable {
  readonly #resume: () => void;
  readonly #abandon: () => void;

  /** @param source.resume asks for more; `abandon` says that nobody reads on */
  constructor(source: { readonly resume: () => void; readonly abandon: () => void }) {
    super();
    this.#resume = source.resume;
    this.#abandon = source.abandon;
  }

  override _read(): void {
    this.#resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#abandon();
    // As Node's own answers do: who dropped the body need not hear how it ended.
    callback(this.listenerCount('error') === 0 ? null : error);
  }
}
