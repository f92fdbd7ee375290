/** What a watcher of idleness may do. Times are milliseconds. */
export interface IdleActions {
  readonly busy: () => boolean;
  /** Called once in each quiet spell, soon after it began. */
  readonly rest: () => void;
  /** Called when a quiet spell has lasted `leaveAfterMs`; 0 means never. */
  readonly leave: () => void;
  readonly leaveAfterMs: number;
}

const TICK_MS = 1000;
const REST_AFTER_MS = 2000;

/** Watches for quiet spells: one timer, asked once a second. @returns a function that stops watching */
export function watchIdleness({ busy, rest, leave, leaveAfterMs }: IdleActions): () => void {
  let quietSince = performance.now();
  let rested = false;
  const timer = setInterval(
    () => {
      if (busy()) {
        quietSince = performance.now();
        rested = false;
        return;
      }
      const quietMs = performance.now() - quietSince;
      if (!rested && quietMs >= REST_AFTER_MS) {
        rested = true;
        rest();
      }
      if (leaveAfterMs > 0 && quietMs >= leaveAfterMs) leave();
    },
    leaveAfterMs > 0 ? Math.min(TICK_MS, leaveAfterMs) : TICK_MS,
  );
  return () => clearInterval(timer);
}
