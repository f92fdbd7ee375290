import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import { Flight, type FlightNews } from './flight.ts';

export type { FlightNews } from './flight.ts';

/** The steps in flight of one engine. It lives as long as the engine. */
export interface Solver {
  /**
   * Makes the result of a key, or waits for the one who is making it. When the signal aborts, this caller leaves;
   * the work goes on while others wait, and is aborted when nobody does. The last to leave waits for its clean-up.
   * @param listener gets what the work tells, also what it told before this caller came
   * @throws the signal's reason, or what the work threw
   */
  share<T>(key: string, work: (flight: Flight<T>) => Promise<T>, caller: Caller): Promise<T>;
  /** Runs work that needs a processor, when one of the places is free. */
  withPlace<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export interface Caller {
  readonly signal: AbortSignal;
  readonly listener: (news: FlightNews) => void;
}

/** @param concurrency steps that run at once; twice the processors when absent (measured: more gains nothing) */
export function createSolver(concurrency: number = 2 * availableParallelism()): Solver {
  const queue = new PQueue({ concurrency });
  const flights = new Map<string, Flight<unknown>>();

  function begin<T>(key: string, work: (flight: Flight<T>) => Promise<T>): Flight<T> {
    const flight = new Flight<T>();
    flights.set(key, flight as Flight<unknown>);
    flight.result = work(flight);
    void flight.landed().then(() => forget(key, flight as Flight<unknown>));
    return flight;
  }

  function forget(key: string, flight: Flight<unknown>): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  async function waitFor<T>(key: string, flight: Flight<T>, { signal, listener }: Caller): Promise<T> {
    flight.join(listener);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([flight.result, aborted]);
    } finally {
      signal.removeEventListener('abort', abort);
      if (flight.leave(listener) && signal.aborted) {
        // A build that comes now must not join work that is being given up.
        forget(key, flight as Flight<unknown>);
        flight.controller.abort(signal.reason);
        await flight.result.catch(() => {});
      }
    }
  }

  async function share<T>(key: string, work: (flight: Flight<T>) => Promise<T>, caller: Caller): Promise<T> {
    caller.signal.throwIfAborted();
    // One key is always made by the same kind of work, so its flight holds what the caller expects.
    const known = flights.get(key) as Flight<T> | undefined;
    const flight = known ?? begin(key, work);
    try {
      return await waitFor(key, flight, caller);
    } catch (error) {
      if (!known && caller.signal.aborted) flight.isOrphan = true;
      if (!known || !flight.isOrphan || caller.signal.aborted) throw error;
      forget(key, flight as Flight<unknown>);
      return share(key, work, caller);
    }
  }

  return {
    share,
    async withPlace(work, signal) {
      const { promise: aborted, reject } = Promise.withResolvers<never>();
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      // Once begun, the work itself watches the signal, and its clean-up is waited for.
      const done = queue.add(() => {
        signal.removeEventListener('abort', abort);
        signal.throwIfAborted();
        return work();
      });
      return await Promise.race([done, aborted]);
    },
  };
}
