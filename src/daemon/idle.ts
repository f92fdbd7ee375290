/**
 * Calls `leave` once nothing has been going on for `idleMs`. Cheap: one timer, asked every so often.
 * @returns a function that stops watching
 */
export function leaveWhenIdle(options: {
  readonly idleMs: number;
  readonly busy: () => boolean;
  readonly leave: () => void;
}): () => void {
  if (options.idleMs === 0) return () => {};
  let quietSince = Date.now();
  const timer = setInterval(
    () => {
      if (options.busy()) quietSince = Date.now();
      else if (Date.now() - quietSince >= options.idleMs) options.leave();
    },
    Math.min(1000, options.idleMs),
  );
  return () => clearInterval(timer);
}
