/** How long a sender may work on after its engine has gone. */
export const LAST_WORK_MS = 30_000;
/** How long the engine that comes next waits for it: a little longer. */
export const LAST_WORK_WAIT_MS = LAST_WORK_MS + 5_000;
