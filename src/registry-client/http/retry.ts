import { setTimeout as delay } from 'node:timers/promises';
import { Transient } from './failure.ts';

/** Waits; the default is a timer. Tests put their own in its place. */
export type Sleep = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

export interface RetryPolicy {
  /** Tries in all. Default 5. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  /** Longest wait, also when the other side asks for more. */
  readonly maxDelayMs: number;
  readonly sleep: Sleep;
  /** 0 to 1, as `Math.random`. */
  readonly random: () => number;
}

export const defaultRetry: RetryPolicy = {
  attempts: 5,
  firstDelayMs: 250,
  maxDelayMs: 60_000,
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : {});
  },
  random: Math.random,
};

/**
 * Does something again while it fails with `Transient`. Its wait grows with each try and has jitter, so that many
 * clients do not come back at once; a wait that the other side names counts instead.
 */
export async function withRetry<T>(
  work: (attempt: number) => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Transient)) throw error;
      if (attempt >= policy.attempts) throw error.error;
      await policy.sleep(waitMs(attempt, error.afterMs, policy), signal);
    }
  }
}

/** How long to wait before the try that follows `attempt` (1 for the first). */
export function waitMs(attempt: number, askedMs: number | undefined, policy: RetryPolicy): number {
  if (askedMs !== undefined) return Math.min(askedMs, policy.maxDelayMs);
  const full = Math.min(policy.firstDelayMs * 2 ** (attempt - 1), policy.maxDelayMs);
  return Math.round(full * (0.5 + policy.random() / 2));
}

/** Reads `Retry-After`: seconds, or a date. @see RFC 9110, 10.2.3 */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** Remembers how long each host asked to be left alone, for every request that goes there. */
export class BackOff {
  readonly #until = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  note(host: string, waitMs: number): void {
    this.#until.set(host, Math.max(this.#until.get(host) ?? 0, this.#now() + waitMs));
  }

  waitMs(host: string): number {
    return Math.max(0, (this.#until.get(host) ?? 0) - this.#now());
  }
}
