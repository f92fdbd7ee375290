import { Sandbox } from './sandbox.ts';

/**
 * Sandboxes made before anybody asks, when nothing else is to be done: a start then pays for none. They have no trace on
 * disk and end with the process.
 */
export class SandboxPool {
  readonly #size: number;
  readonly #ready: Sandbox[] = [];
  #refill: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(size: number) {
    this.#size = size;
  }

  take(): Sandbox {
    const sandbox = this.#ready.pop() ?? Sandbox.create();
    this.#refillSoon();
    return sandbox;
  }

  /** Lets go of what nobody took; the next `take` fills it anew. */
  drain(): void {
    clearTimeout(this.#refill);
    this.#refill = undefined;
    for (const sandbox of this.#ready.splice(0)) sandbox.close();
  }

  close(): void {
    this.#closed = true;
    this.drain();
  }

  #refillSoon(): void {
    if (this.#closed || this.#refill) return;
    this.#refill = setTimeout(() => {
      this.#refill = undefined;
      if (this.#ready.length < this.#size) this.#ready.push(Sandbox.create());
      if (this.#ready.length < this.#size) this.#refillSoon();
    }, REFILL_AFTER_MS).unref();
  }
}

/** Long enough for the start that took one to be over. */
const REFILL_AFTER_MS = 50;
