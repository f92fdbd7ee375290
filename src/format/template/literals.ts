import { templateError } from './error.ts';
import type { Token } from './lex.ts';

const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([\s\S]))/g;
const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The value of a Go string, raw string or character literal. A character is its code point, as in Go. */
export function readString(source: string, token: Token): string | number {
  const inner = token.text.slice(1, -1);
  if (token.text.startsWith('`')) return inner;
  const value = inner.replace(ESCAPE, (whole, hex, short, long, octal, simple) => {
    const code = hex ?? short ?? long;
    if (code !== undefined) return fromCode(source, token, Number.parseInt(code, 16));
    if (octal !== undefined) return fromCode(source, token, Number.parseInt(octal, 8));
    const known = SIMPLE[simple as string];
    if (known === undefined) throw templateError(source, token.offset, `unknown escape ${whole}`);
    return known;
  });
  if (!token.text.startsWith("'")) return value;
  const points = [...value];
  if (points.length !== 1)
    throw templateError(source, token.offset, 'a character is one letter', 'use "..." for a string');
  return points[0]!.codePointAt(0)!;
}

function fromCode(source: string, token: Token, code: number): string {
  if (code > 0x10ffff) throw templateError(source, token.offset, 'no such character');
  return String.fromCodePoint(code);
}

export function readNumber(source: string, token: Token): number {
  const sign = token.text.startsWith('-') ? -1 : 1;
  const value = Number(token.text.replace(/^[+-]/, '').replaceAll('_', ''));
  if (Number.isNaN(value)) throw templateError(source, token.offset, `not a number: ${token.text}`);
  return sign * value;
}
