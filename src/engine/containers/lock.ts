/** Lets one holder in at a time, in the order of asking. */
export class Lock {
  #tail: Promise<unknown> = Promise.resolve();
  #holders = 0;

  /** True while somebody is in, or waits to be. */
  get isHeld(): boolean {
    return this.#holders > 0;
  }

  run<T>(critical: () => Promise<T>): Promise<T> {
    this.#holders++;
    const turn = this.#tail.then(critical).finally(() => {
      this.#holders--;
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
}
