import type { EventMessage, Filters } from '../../api/contract/index.ts';
import type { Clock } from '../ports.ts';
import { eventFilter } from './filter.ts';

/** Events that `since` can still see. */
const KEPT_EVENTS = 1024;
/** Events that one subscriber may lag behind before its stream is ended. */
const QUEUED_EVENTS = 4096;

export type PublishEvent = (
  type: EventMessage['Type'],
  action: string,
  id: string,
  attributes: Readonly<Record<string, string>>,
) => void;

export interface SubscribeOptions {
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  readonly filters: Filters;
  readonly signal: AbortSignal;
}

/** What happened in the engine, to whoever listens. Keeps the latest events for those who come later. */
export class EventBus {
  readonly #clock: Clock;
  readonly #kept: EventMessage[] = [];
  readonly #subscribers = new Set<Subscriber>();
  #lastMicro = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly publish: PublishEvent = (type, action, id, attributes) => {
    const now = this.#clock.now();
    this.emit({
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Math.floor(now / 1000),
      timeNano: now * 1e6,
    });
  };

  /** Events of one moment get different nanoseconds, in their order. */
  readonly emit = (given: EventMessage): void => {
    const event = { ...given, timeNano: this.#nano(given.timeNano) };
    this.#kept.push(event);
    if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
    for (const subscriber of this.#subscribers) subscriber.push(event);
  };

  /** Listens from the moment of the call on; the iterable ends at `until`, on abort, and when the engine closes. */
  subscribe(options: SubscribeOptions): AsyncIterableIterator<EventMessage> {
    const accepts = eventFilter(options.filters);
    const subscriber = new Subscriber(accepts, () => this.#subscribers.delete(subscriber));
    if (options.since !== undefined) {
      const { since, until = Number.POSITIVE_INFINITY } = options;
      for (const event of this.#kept) {
        const at = event.timeNano / 1e6;
        // The order within a millisecond is made up: it must not put an event behind an `until` of this moment.
        if (at >= since && Math.floor(at) <= until) subscriber.push(event);
      }
    }
    const remaining = options.until === undefined ? undefined : options.until - this.#clock.now();
    if (options.signal.aborted || (remaining !== undefined && remaining <= 0)) subscriber.end();
    else {
      this.#subscribers.add(subscriber);
      subscriber.endWith(options.signal, remaining);
    }
    return subscriber;
  }

  close(): void {
    for (const subscriber of [...this.#subscribers]) subscriber.end();
  }

  /** A number of today's nanoseconds is exact to 256 only: microseconds are what can be told apart. */
  #nano(given: number): number {
    this.#lastMicro = Math.max(Math.round(given / 1000), this.#lastMicro + 1);
    return this.#lastMicro * 1000;
  }
}

class Subscriber implements AsyncIterableIterator<EventMessage> {
  readonly #accepts: (event: EventMessage) => boolean;
  readonly #onEnd: () => void;
  readonly #queue: EventMessage[] = [];
  #waiting: ((result: IteratorResult<EventMessage>) => void) | undefined;
  #ended = false;
  #release: () => void = () => undefined;

  constructor(accepts: (event: EventMessage) => boolean, onEnd: () => void) {
    this.#accepts = accepts;
    this.#onEnd = onEnd;
  }

  push(event: EventMessage): void {
    if (this.#ended || !this.#accepts(event)) return;
    if (this.#waiting) {
      this.#waiting({ value: event, done: false });
      this.#waiting = undefined;
    } else if (this.#queue.push(event) > QUEUED_EVENTS) this.end();
  }

  endWith(signal: AbortSignal, remainingMs: number | undefined): void {
    const end = () => this.end();
    signal.addEventListener('abort', end, { once: true });
    // Longer timers would overflow to "at once"; such a subscription simply outlives its client.
    const timer = remainingMs !== undefined && remainingMs < 2 ** 31 ? setTimeout(end, remainingMs) : undefined;
    this.#release = () => {
      signal.removeEventListener('abort', end);
      clearTimeout(timer);
    };
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
    this.#onEnd();
    this.#waiting?.({ value: undefined, done: true });
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<EventMessage>> {
    const event = this.#queue.shift();
    if (event) return Promise.resolve({ value: event, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<EventMessage>> {
    this.#queue.length = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
