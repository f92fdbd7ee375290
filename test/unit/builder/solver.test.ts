import { describe, expect, it } from 'vitest';
import { createSolver, type FlightNews } from '../../../src/builder/solve/solver.ts';

const silent = () => {};

function caller(listener: (news: FlightNews) => void = silent) {
  const controller = new AbortController();
  return { controller, signal: controller.signal, listener };
}

describe('a solver', () => {
  it('does equal work once, and tells latecomers what was said', async () => {
    const solver = createSolver(2);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let runs = 0;
    const heard: string[] = [];
    const first = solver.share(
      'k',
      async (flight) => {
        runs++;
        flight.missed('never built before');
        flight.output('stdout', Buffer.from('hello'));
        await gate;
        return runs;
      },
      caller(),
    );
    const second = solver.share(
      'k',
      async () => -1,
      caller((news) => heard.push(news.type === 'log' ? news.text : news.reason)),
    );
    open();
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    expect(heard).toEqual(['never built before', 'hello']);
  });

  it('goes on while somebody waits, and stops when nobody does', async () => {
    const solver = createSolver(2);
    let aborted = false;
    const work = (flight: { controller: AbortController }) =>
      new Promise<never>((_, reject) => {
        flight.controller.signal.addEventListener('abort', () => {
          aborted = true;
          reject(flight.controller.signal.reason);
        });
      });
    const [a, b] = [caller(), caller()];
    const waits = [solver.share('k', work, a), solver.share('k', work, b)];
    a.controller.abort(new Error('first left'));
    await expect(waits[0]).rejects.toThrow('first left');
    expect(aborted).toBe(false);
    b.controller.abort(new Error('second left'));
    await expect(waits[1]).rejects.toThrow('second left');
    expect(aborted).toBe(true);
  });

  it('lets the last one leave only after the clean-up', async () => {
    const solver = createSolver(2);
    let cleaned = false;
    const one = caller();
    const wait = solver.share(
      'k',
      async (flight) => {
        await new Promise((resolve) => flight.controller.signal.addEventListener('abort', resolve));
        await Promise.resolve();
        cleaned = true;
        flight.controller.signal.throwIfAborted();
      },
      one,
    );
    one.controller.abort(new Error('gone'));
    await expect(wait).rejects.toThrow('gone');
    expect(cleaned).toBe(true);
  });

  it('does work again that failed because the build that began it went away', async () => {
    const solver = createSolver(2);
    const { promise: broken, reject: fail } = Promise.withResolvers<string>();
    const [a, b] = [caller(), caller()];
    const first = solver.share('k', () => broken, a);
    const second = solver.share('k', async () => 'made anew', b);
    a.controller.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    fail(new Error('its context is gone'));
    expect(await second).toBe('made anew');
  });

  it('forgets a failure: the next one tries again', async () => {
    const solver = createSolver(1);
    await expect(solver.share('k', async () => Promise.reject(new Error('no')), caller())).rejects.toThrow('no');
    await Promise.resolve();
    expect(await solver.share('k', async () => 'yes', caller())).toBe('yes');
  });

  it('keeps a key in flight until its records are written', async () => {
    const solver = createSolver(1);
    const { promise: written, resolve: finish } = Promise.withResolvers<void>();
    const first = await solver.share(
      'k',
      async (flight) => {
        flight.held.push(written);
        return 'first';
      },
      caller(),
    );
    expect(await solver.share('k', async () => 'second', caller())).toBe(first);
    finish();
  });

  it('runs no more at once than it has places', async () => {
    const solver = createSolver(2);
    let running = 0;
    let most = 0;
    const { signal } = new AbortController();
    const work = async () => {
      running++;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    };
    await Promise.all([1, 2, 3, 4, 5].map(() => solver.withPlace(work, signal)));
    expect(most).toBe(2);
  });

  it('gives up a place in the queue at once', async () => {
    const solver = createSolver(1);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const controller = new AbortController();
    const busy = solver.withPlace(() => gate, new AbortController().signal);
    const waiting = solver.withPlace(async () => 'never', controller.signal);
    controller.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    open();
    await busy;
  });
});
