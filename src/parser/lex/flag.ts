import type { Word } from '../ir.ts';
import { isSpace } from '../words/characters.ts';
import type { LogicalText } from './logical-text.ts';

/** `--name[=value]` before an instruction's arguments, with its quotes removed. */
export interface Flag {
  readonly name: string;
  /** Undefined without `=`. */
  readonly value: Word | undefined;
  /** The decoded text, as `--chown=me`. */
  readonly word: Word;
  /** The span of a part of the decoded value. */
  readonly valuePart: (start: number, end: number, text: string) => Word;
  readonly unclosed: boolean;
}

/** The end of the flag that starts at `from`, or -1 when what is there is no flag. */
export function flagEnd(text: string, from: number): number {
  if (!text.startsWith('--', from)) return -1;
  let quote = '';
  let at = from;
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (quote === '' && isSpace(char)) break;
    if (char === '\\') at++;
    else if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
  }
  return Math.min(at, text.length);
}

/** Decodes a flag token: a backslash takes the next character whatever the file's escape character is. */
export function decodeFlag(logical: LogicalText, start: number, end: number): Flag {
  const raw = logical.text.slice(start, end);
  let decoded = '';
  let quote = '';
  /** Offset in `raw` of each decoded character; only kept when decoding changed something. */
  const origins: number[] | undefined = /["'\\]/.test(raw) ? [] : undefined;
  if (!origins) decoded = raw;
  for (let at = 0; origins && at < raw.length; at++) {
    let char = raw[at]!;
    if (char === quote) {
      quote = '';
      continue;
    }
    if (quote === '' && (char === '"' || char === "'")) {
      quote = char;
      continue;
    }
    if (char === '\\') {
      if (++at >= raw.length) break;
      char = raw[at]!;
    }
    decoded += char;
    origins.push(at);
  }
  const place = (offset: number) => start + (origins ? (origins[offset] ?? raw.length) : offset);
  const equals = decoded.indexOf('=');
  const valueStart = equals + 1;
  const valuePart = (from: number, to: number, text: string): Word => {
    const first = place(valueStart + from);
    return { text, span: logical.span(first, to > from ? place(valueStart + to - 1) + 1 : first) };
  };
  return {
    name: decoded.slice(2, equals < 0 ? undefined : equals),
    value: equals < 0 ? undefined : valuePart(0, decoded.length - valueStart, decoded.slice(valueStart)),
    word: logical.word(start, end, decoded),
    valuePart,
    unclosed: quote !== '',
  };
}
