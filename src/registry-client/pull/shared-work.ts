/**
 * Work that several may wait for: it runs once for all who ask for the same key meanwhile, and is aborted only when the
 * last of them has left.
 */
export class SharedWork<T> {
  readonly #running = new Map<
    string,
    { readonly result: Promise<T>; readonly controller: AbortController; users: number }
  >();

  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    let job = this.#running.get(key);
    if (job === undefined || job.controller.signal.aborted) {
      const controller = new AbortController();
      const result = work(controller.signal);
      const started = { result, controller, users: 0 };
      this.#running.set(key, started);
      const forget = () => {
        if (this.#running.get(key) === started) this.#running.delete(key);
      };
      result.then(forget, forget);
      job = started;
    }
    const { result, controller } = job;
    job.users += 1;
    let leave = () => {};
    const left = new Promise<never>((_resolve, reject) => {
      leave = () => reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      job.users -= 1;
      if (job.users === 0) {
        controller.abort(signal.reason);
        // What was begun is also ended before anybody goes on.
        await result.catch(() => {});
      }
    }
  }
}
