import type { Heredoc } from '../ir.ts';
import { isSpace } from '../words/characters.ts';
import type { LineReader } from './line-reader.ts';

/** `<<NAME` inside an instruction; `[start, end)` are offsets in its joined text. */
export interface HeredocMarker {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly fd: number;
  readonly expand: boolean;
  readonly chomp: boolean;
}

const OPENING = /(\d*)<<(-?)[\t ]*/y;

/**
 * Finds the heredoc markers of an instruction: words that start with `[fd]<<[-]NAME`. Quoted or escaped text,
 * `<<<`, and shifts inside `$((…))` are not markers. Linear in the text.
 * @see BuildKit parser, "heredocsFromLine" (behaviour)
 */
export function findHeredocMarkers(text: string): HeredocMarker[] {
  const markers: HeredocMarker[] = [];
  const lastShiftEnd = text.lastIndexOf('))');
  let at = 0;
  while (at < text.length) {
    if (isSpace(text[at]!)) {
      at++;
      continue;
    }
    const marker = markerAt(text, at, lastShiftEnd);
    if (marker) markers.push(marker);
    const end = marker?.end ?? wordEnd(text, at, lastShiftEnd);
    if (end < 0) break;
    at = end;
  }
  return markers;
}

function markerAt(text: string, start: number, lastShiftEnd: number): HeredocMarker | undefined {
  OPENING.lastIndex = start;
  const match = OPENING.exec(text);
  if (!match) return undefined;
  const nameStart = OPENING.lastIndex;
  const end = wordEnd(text, nameStart, lastShiftEnd);
  if (end <= nameStart) return undefined;
  const raw = text.slice(nameStart, end);
  if (raw.includes('<')) return undefined;
  const name = unquote(raw);
  if (name === '') return undefined;
  return {
    start,
    end,
    name,
    fd: Number(match[1]),
    expand: countQuotes(raw) === countQuotes(name),
    chomp: match[2] === '-',
  };
}

/** The end of a shell word; -1 when a quote is left open, which makes all that follows text. */
function wordEnd(text: string, from: number, lastShiftEnd: number): number {
  let at = from;
  while (at < text.length && !isSpace(text[at]!)) {
    const char = text[at]!;
    if (char === '\\') at += 2;
    else if (char === "'") {
      at = text.indexOf("'", at + 1) + 1;
      if (at === 0) return -1;
    } else if (char === '"') {
      at = doubleQuoteEnd(text, at);
      if (at < 0) return -1;
    } else if (char === '$' && text.startsWith('((', at + 1)) {
      at = lastShiftEnd < at + 3 ? at + 3 : text.indexOf('))', at + 3) + 2;
    } else at++;
  }
  return Math.min(at, text.length);
}

function doubleQuoteEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}

function unquote(raw: string): string {
  let name = '';
  let quote = '';
  for (let at = 0; at < raw.length; at++) {
    const char = raw[at]!;
    if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === '\\' && quote !== "'") {
      const next = raw[++at] ?? '';
      name += quote === '"' && !'"$\\'.includes(next) ? `\\${next}` : next;
    } else name += char;
  }
  return name;
}

function countQuotes(text: string): number {
  let count = 0;
  for (const char of text) if (char === '"' || char === "'") count++;
  return count;
}

/** A heredoc body as read from the lines after its instruction. */
export interface HeredocBody {
  readonly heredoc: Heredoc;
  readonly terminated: boolean;
  /** When not terminated: the first line that would have ended the body but for white space around it. */
  readonly nearMiss?: number;
}

/**
 * Takes the body's lines off the reader; continuations and comments mean nothing inside. A body without an end
 * stops at the near miss, if there is one, so that the rest of the file is still read as instructions.
 */
export function readHeredocBody(reader: LineReader, marker: HeredocMarker): HeredocBody {
  const { name, fd, expand, chomp } = marker;
  const start = reader.offset;
  const body = (end: number): Heredoc => ({
    name,
    fd,
    expand,
    chomp,
    content: reader.source.text.slice(start, end),
    span: reader.source.span(start, end),
  });
  let nearMiss: { line: number; start: number; next: number } | undefined;
  for (let end = start; reader.advance(); end = reader.offset) {
    const { line } = reader;
    if ((chomp ? line.replace(/^\t+/, '') : line) === name) return { heredoc: body(end), terminated: true };
    if (!nearMiss && line.trim() === name) {
      nearMiss = { line: reader.lineSpan.start.line, start: end, next: reader.offset };
    }
  }
  if (!nearMiss) return { heredoc: body(reader.offset), terminated: false };
  reader.rewind(nearMiss.next);
  return { heredoc: body(nearMiss.start), terminated: false, nearMiss: nearMiss.line };
}

/**
 * The marker when it is all that a RUN command says (`RUN <<EOF`): then the body itself is the script.
 * Otherwise the command is given to the shell with the bodies after it.
 */
export function soleHeredoc(command: string): HeredocMarker | undefined {
  const [marker] = findHeredocMarkers(command);
  return marker && marker.start === 0 && marker.end === command.length ? marker : undefined;
}

/** A `<<-` body as it is used: each line without its leading tabs. */
export function chompTabs(content: string): string {
  return content.replace(/^\t+/gm, '');
}
