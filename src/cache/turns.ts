/** Work of two kinds: any number of shared ones at once, exclusive ones alone. First come, first served. */
export interface Turns {
  shared<T>(work: () => Promise<T>): Promise<T>;
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

export function openTurns(): Turns {
  let exclusives: Promise<unknown> = Promise.resolve();
  let running: Promise<unknown> = Promise.resolve();
  const quiet = (work: Promise<unknown>) => work.catch(() => {});
  return {
    shared: (work) => {
      const result = exclusives.then(work);
      running = Promise.all([running, quiet(result)]);
      return result;
    },
    exclusive: (work) => {
      const before = Promise.all([exclusives, running]);
      const result = before.then(work);
      exclusives = quiet(result);
      running = exclusives;
      return result;
    },
  };
}
