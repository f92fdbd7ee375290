import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchIdleness } from '../../../src/daemon/idle.ts';

describe('watchIdleness', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function watch(leaveAfterMs: number) {
    const state = { busy: false, watching: false, rests: 0, leaves: 0 };
    const stop = watchIdleness({
      leaveAfterMs,
      serving: () => state.busy,
      watching: () => state.watching,
      rest: () => void state.rests++,
      leave: () => void state.leaves++,
    });
    return { state, stop };
  }

  it('rests once in a quiet spell, and again after work', () => {
    const { state, stop } = watch(0);
    vi.advanceTimersByTime(10_000);
    expect(state.rests).toBe(1);
    state.busy = true;
    vi.advanceTimersByTime(2_000);
    state.busy = false;
    vi.advanceTimersByTime(5_000);
    expect(state).toMatchObject({ rests: 2, leaves: 0 });
    stop();
  });

  it('rests beside a running container, and does not leave it', () => {
    const { state, stop } = watch(5_000);
    state.watching = true;
    vi.advanceTimersByTime(60_000);
    expect(state).toMatchObject({ rests: 1, leaves: 0 });
    stop();
  });

  it('leaves only after a whole quiet spell', () => {
    const { state, stop } = watch(5_000);
    vi.advanceTimersByTime(4_000);
    state.busy = true;
    vi.advanceTimersByTime(1_000);
    state.busy = false;
    vi.advanceTimersByTime(4_900);
    expect(state.leaves).toBe(0);
    vi.advanceTimersByTime(1_100);
    expect(state.leaves).toBeGreaterThan(0);
    stop();
  });
});
