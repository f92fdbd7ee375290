/** What a watcher of idleness may do. Times are milliseconds. */
export interface IdleActions {
  /** True while somebody is served. */
  readonly serving: () => boolean;
  /** True while there is something to watch, as a running container: the engine may rest, but not leave. */
  readonly watching: () => boolean;
  /** Called once in each quiet spell, soon after it began. */
  readonly rest: () => void;
  /** Called when a quiet spell has lasted `leaveAfterMs`; 0 means never. */
  readonly leave: () => void;
  readonly leaveAfterMs: number;
}

const TICK_MS = 1000;
const REST_AFTER_MS = 2000;

/** Watches for quiet spells: one timer, asked once a second. @returns a function that stops watching */
export function watchIdleness({ serving, watching, rest, leave, leaveAfterMs }: IdleActions): () => void {
  let quietSince = performance.now();
  let idleSince = quietSince;
  let rested = false;
  const timer = setInterval(
    () => {
      const now = performance.now();
      if (serving()) {
        quietSince = now;
        rested = false;
      } else if (!rested && now - quietSince >= REST_AFTER_MS) {
        rested = true;
        rest();
      }
      if (serving() || watching()) idleSince = now;
      else if (leaveAfterMs > 0 && now - idleSince >= leaveAfterMs) leave();
    },
    leaveAfterMs > 0 ? Math.min(TICK_MS, leaveAfterMs) : TICK_MS,
  );
  return () => clearInterval(timer);
}
