import { templateError } from './error.ts';

export type TokenKind = 'text' | 'open' | 'close' | 'field' | 'variable' | 'word' | 'string' | 'number' | 'symbol';

/** `offset` counts UTF-16 units in the template. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
}

const SYMBOLS = [':=', '|', '(', ')', ',', '=', '.'];
const NUMBER = /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
const WORD = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const FIELD = /\.[\p{L}_][\p{L}\p{Nd}_]*/uy;
const VARIABLE = /\$(?:[\p{L}_][\p{L}\p{Nd}_]*)?/uy;
const QUOTED = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/y;
const SPACE = /[ \t\r\n]+/y;

/**
 * Splits a template into text and the tokens of its actions. Trim markers and comments are resolved here.
 * A `field` token that follows another token without a space has no space in between: the parser looks at offsets.
 */
export function lexTemplate(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    const raw = source.slice(at, open < 0 ? undefined : open);
    const trimsLeft = open >= 0 && /^-[ \t\r\n]/.test(source.slice(open + 2, open + 4));
    let text = trimNext ? raw.replace(/^[ \t\r\n]+/, '') : raw;
    if (trimsLeft) text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') tokens.push({ kind: 'text', text, offset: at });
    if (open < 0) break;
    const action = lexAction(source, open, trimsLeft ? open + 3 : open + 2);
    tokens.push(...action.tokens);
    trimNext = action.trimsRight;
    at = action.end;
  }
  return tokens;
}

interface Action {
  readonly tokens: readonly Token[];
  readonly end: number;
  readonly trimsRight: boolean;
}

function lexAction(source: string, open: number, start: number): Action {
  const comment = /^\s*\/\*/.exec(source.slice(start, start + 40));
  if (comment) return lexComment(source, open, start + comment[0].length);
  const tokens: Token[] = [{ kind: 'open', text: '{{', offset: open }];
  let at = start;
  for (;;) {
    const spaceEnd = match(SPACE, source, at)?.end ?? at;
    if (spaceEnd > at && source.startsWith('-}}', spaceEnd)) {
      tokens.push({ kind: 'close', text: '}}', offset: spaceEnd });
      return { tokens, end: spaceEnd + 3, trimsRight: true };
    }
    at = spaceEnd;
    if (source.startsWith('}}', at)) {
      tokens.push({ kind: 'close', text: '}}', offset: at });
      return { tokens, end: at + 2, trimsRight: false };
    }
    if (at >= source.length) throw templateError(source, open, 'the action is not closed', 'end it with }}');
    const token = nextToken(source, at);
    tokens.push(token);
    at += token.text.length;
  }
}

function lexComment(source: string, open: number, bodyStart: number): Action {
  const end = source.indexOf('*/', bodyStart);
  const close = end < 0 ? undefined : /^(\s+-)?\}\}/.exec(source.slice(end + 2));
  if (!close) throw templateError(source, open, 'the comment is not closed', 'end it with */}}');
  return { tokens: [], end: end + 2 + close[0].length, trimsRight: close[1] !== undefined };
}

function nextToken(source: string, offset: number): Token {
  const attempts: readonly (readonly [TokenKind, RegExp])[] = [
    ['string', QUOTED],
    ['field', FIELD],
    ['variable', VARIABLE],
    ['number', NUMBER],
    ['word', WORD],
  ];
  for (const [kind, pattern] of attempts) {
    const found = match(pattern, source, offset);
    if (found) return { kind, text: found.text, offset };
  }
  const symbol = SYMBOLS.find((candidate) => source.startsWith(candidate, offset));
  if (symbol) return { kind: 'symbol', text: symbol, offset };
  const character = String.fromCodePoint(source.codePointAt(offset)!);
  const what = /["'`]/.test(character) ? 'the string is not closed' : `unexpected ${JSON.stringify(character)}`;
  throw templateError(source, offset, what);
}

function match(pattern: RegExp, source: string, at: number): { text: string; end: number } | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(source);
  return found ? { text: found[0], end: at + found[0].length } : undefined;
}
