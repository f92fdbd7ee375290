import { humanSize } from '../../units/index.ts';
import type { PullMessage } from './ports.ts';

/** Bars are renewed at most this often for one layer. */
const EVERY_MS = 100;
const BAR = 50;

/** Tells how far the layers are, in docker's words. */
export class Progress {
  readonly #emit: (message: PullMessage) => void;
  readonly #now: () => number;
  readonly #last = new Map<string, number>();

  constructor(emit: (message: PullMessage) => void, now: () => number) {
    this.#emit = emit;
    this.#now = now;
  }

  status(status: string, id?: string): void {
    this.#emit(id === undefined ? { status } : { status, id, progressDetail: {} });
  }

  bar(status: string, id: string, { current, total }: { readonly current: number; readonly total: number }): void {
    const key = `${status} ${id}`;
    const now = this.#now();
    if (now - (this.#last.get(key) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    this.#last.set(key, now);
    this.#emit({ status, id, progressDetail: { current, total }, progress: drawBar(current, total) });
  }
}

/** `[=====>     ]  1.2MB/3.4MB` @see moby pkg/jsonmessage */
function drawBar(current: number, total: number): string {
  const filled = total === 0 ? BAR : Math.min(BAR, Math.floor((current / total) * BAR));
  const bar = filled === BAR ? '='.repeat(BAR) : `${'='.repeat(filled)}>${' '.repeat(BAR - filled - 1)}`;
  return `[${bar}]  ${humanSize(current)}/${humanSize(total)}`;
}
