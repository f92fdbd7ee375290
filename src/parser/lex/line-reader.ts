import type { SourceText, Span } from '../../diagnostics/index.ts';
import { isSpace } from '../words/characters.ts';
import type { EscapeToken } from '../words/shell-lex.ts';
import { LogicalText } from './logical-text.ts';

/** One instruction's lines joined, before it is tokenised. */
export interface LogicalLine {
  readonly logical: LogicalText;
  /** Comment lines above, without `#` and blanks around; a lone `#` starts anew. */
  readonly comments: readonly string[];
  /** Blank lines inside the continuation, each with its line end. */
  readonly emptyLines: readonly Span[];
}

const BYTE_ORDER_MARK = '\ufeff';
const MAX_LINE_BYTES = 65_535;
const MAX_REWINDS = 16;

/**
 * Walks the physical lines of a Dockerfile once. The caller sets `escape` after the directives are read,
 * and takes heredoc bodies from the lines that follow an instruction.
 */
export class LineReader {
  readonly source: SourceText;
  escape: EscapeToken = '\\';
  /** Offset of the next physical line. */
  #at: number;
  #rewinds = 0;
  #contentStart = 0;
  #contentEnd = 0;

  constructor(source: SourceText) {
    this.source = source;
    this.#at = source.text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  }

  /** The start of the line that comes next. */
  get offset(): number {
    return this.#at;
  }

  /** End of the content (no line end) of the line read last. */
  get lastLineEnd(): number {
    return this.#contentEnd;
  }

  /** Goes to the next physical line; `line` then gives its content. */
  advance(): boolean {
    const { text } = this.source;
    if (this.#at >= text.length) return false;
    this.#contentStart = this.#at;
    const newline = text.indexOf('\n', this.#at);
    let end = newline < 0 ? text.length : newline;
    this.#at = newline < 0 ? text.length : newline + 1;
    while (end > this.#contentStart && text[end - 1] === '\r') end--;
    this.#contentEnd = end;
    return true;
  }

  get line(): string {
    return this.source.text.slice(this.#contentStart, this.#contentEnd);
  }

  get lineSpan(): Span {
    return this.source.span(this.#contentStart, this.#contentEnd);
  }

  /** Goes back to the line read last, so that the next `advance` reads it again. */
  unread(): void {
    this.#at = this.#contentStart;
  }

  /** Continues at an earlier line start. Refused after a few times, so that reading stays linear. */
  rewind(offset: number): void {
    if (this.#rewinds++ < MAX_REWINDS) this.#at = offset;
  }

  /** Joins lines up to the next instruction; null at the end of the file. */
  nextLogicalLine(): LogicalLine | null {
    let comments: string[] = [];
    while (this.advance()) {
      const start = this.#firstVisible(this.#contentStart);
      if (start === this.#contentEnd) continue;
      if (this.source.text[start] !== '#') return this.#join(start, comments);
      // A lone `#` cuts off what was said before; blank lines do not.
      const comment = this.source.text.slice(start + 1, this.#contentEnd).trim();
      if (comment === '') comments = [];
      else comments.push(comment);
    }
    return null;
  }

  #join(start: number, comments: readonly string[]): LogicalLine {
    const pieces: string[] = [];
    const starts: number[] = [];
    const sources: number[] = [];
    const emptyLines: Span[] = [];
    let length = 0;
    const take = (from: number): boolean => {
      const end = this.#continuationAt(from);
      const piece = this.source.text.slice(from, end ?? this.#contentEnd);
      starts.push(length);
      sources.push(from);
      pieces.push(piece);
      length += piece.length;
      return end !== undefined;
    };
    let open = take(start);
    while (open && this.advance()) {
      const visible = this.#firstVisible(this.#contentStart);
      if (visible === this.#contentEnd) emptyLines.push(this.source.span(this.#contentStart, this.#at));
      else if (this.source.text[visible] !== '#') open = take(this.#contentStart);
    }
    return { logical: new LogicalText(this.source, pieces.join(''), starts, sources), comments, emptyLines };
  }

  /** Where the text before a line's continuation mark ends; undefined when the line is the last of its kind. */
  #continuationAt(from: number): number | undefined {
    const { text } = this.source;
    let end = this.#contentEnd;
    while (end > from && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
    if (end === from || text[end - 1] !== this.escape) return undefined;
    // An escaped escape character is text; the reference looks one character back only.
    return end - 1 > from && text[end - 2] === this.escape ? undefined : end - 1;
  }

  #firstVisible(from: number): number {
    let at = from;
    while (at < this.#contentEnd && isSpace(this.source.text[at]!)) at++;
    return at;
  }
}

/** Physical lines that are longer than the reference front end reads. */
export function overlongLines(source: SourceText): Span[] {
  const spans: Span[] = [];
  const { text } = source;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (
      (end - start) * 3 > MAX_LINE_BYTES &&
      new TextEncoder().encode(text.slice(start, end)).length > MAX_LINE_BYTES
    ) {
      spans.push(source.span(start, end));
    }
    start = end + 1;
  }
  return spans;
}
