/** Ends a stream with the signal's reason as soon as it fires, also while the source says nothing. */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (signal === undefined) {
    yield* source;
    return;
  }
  signal.throwIfAborted();
  const items = source[Symbol.asyncIterator]();
  let stop: (reason: unknown) => void = () => {};
  const onAbort = () => stop(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  let ended = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      // Racing against one promise for all items would keep every item until the last: a promise remembers its racers.
      const item = await new Promise<IteratorResult<T>>((resolve, reject) => {
        stop = reject;
        items.next().then(resolve, reject);
      });
      ended = item.done === true;
      if (item.done) return;
      yield item.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // A source that hangs would make waiting for its end hang too.
    if (!ended) Promise.resolve(items.return?.()).catch(() => {});
  }
}
