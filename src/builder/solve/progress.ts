import type { BuildEvent } from '../events.ts';
import type { NodeId } from '../plan/graph.ts';
import type { FlightNews } from './flight.ts';

const TAIL_CHARACTERS = 8192;
const TAIL_LINES = 10;

/** Events of one vertex. */
export class Progress {
  readonly #id: NodeId;
  readonly #emit: (event: BuildEvent) => void;
  readonly #now: () => number;
  #started = false;
  #tail = '';

  constructor(id: NodeId, { emit, now }: { readonly emit: (event: BuildEvent) => void; readonly now: () => number }) {
    this.#id = id;
    this.#emit = emit;
    this.#now = now;
  }

  readonly listener = (news: FlightNews): void => {
    if (news.type === 'missed') this.#emit({ type: 'vertex-missed', ...this.#stamp(), reason: news.reason });
    else {
      this.#tail = (this.#tail + news.text).slice(-TAIL_CHARACTERS);
      this.#emit({ type: 'vertex-log', ...this.#stamp(), stream: news.stream, text: news.text });
    }
  };

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#emit({ type: 'vertex-started', ...this.#stamp() });
  }

  cached(): void {
    this.#emit({ type: 'vertex-cached', ...this.#stamp() });
  }

  finish(): void {
    this.#emit({ type: 'vertex-finished', ...this.#stamp() });
  }

  fail(message: string): void {
    this.start();
    this.#emit({ type: 'vertex-failed', ...this.#stamp(), message });
  }

  /** What the step wrote last, for its failure. */
  lastLines(): string[] {
    return this.#tail
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '')
      .slice(-TAIL_LINES);
  }

  #stamp() {
    return { at: this.#now(), vertex: this.#id };
  }
}
