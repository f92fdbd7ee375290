import type { SourceText, Span } from '../../diagnostics/index.ts';
import type { Word } from '../ir.ts';

/**
 * The text of one instruction with its continuations joined, and where each part of it stands in the file.
 * `starts` are offsets in the text, `sources` the file offsets of the same places; both ascend.
 */
export class LogicalText {
  readonly text: string;
  readonly source: SourceText;
  readonly #starts: readonly number[];
  readonly #sources: readonly number[];

  constructor(source: SourceText, text: string, starts: readonly number[], sources: readonly number[]) {
    this.source = source;
    this.text = text;
    this.#starts = starts;
    this.#sources = sources;
  }

  sourceOffset(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#sources[low]! + offset - this.#starts[low]!;
  }

  /** The span of `[start, end)`. The end belongs to the piece of the last character, not to the next line. */
  span(start: number, end: number): Span {
    const from = this.sourceOffset(start);
    return this.source.span(from, end > start ? this.sourceOffset(end - 1) + 1 : from);
  }

  word(start: number, end: number, text: string = this.text.slice(start, end)): Word {
    return { text, span: this.span(start, end) };
  }
}
