import { isSpace } from './characters.ts';
import type { EscapeToken } from './shell-lex.ts';

/**
 * The end of the word that starts at `from`: words of ENV, LABEL and ARG end at white space outside quotes,
 * and keep their quotes and escapes. An unclosed quote runs to the end of the text.
 */
export function quotedWordEnd(text: string, from: number, token: EscapeToken): number {
  let quote = '';
  let at = from;
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (quote === '' && isSpace(char)) return at;
    if (char === token && quote !== "'") at++;
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
  }
  return Math.min(at, text.length);
}

/** A word at the very end loses an escape character that escapes nothing. */
export function withoutDanglingEscape(word: string, token: EscapeToken): string {
  if (!word.endsWith(token)) return word;
  let quote = '';
  for (let at = 0; at < word.length; at++) {
    const char = word[at]!;
    if (char === token && quote !== "'") {
      if (at === word.length - 1) return word.slice(0, -1);
      at++;
    } else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
  }
  return word;
}
