/** White space as the reference lexers see it (Unicode White_Space; a byte order mark is not one of them). */
const SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

export function isSpace(char: string): boolean {
  const code = char.charCodeAt(0);
  if (code < 0x80) return code === 32 || (code >= 9 && code <= 13);
  return SPACE.test(char);
}

/** Blanks that separate the words of an instruction. A newline never occurs inside a logical line. */
export function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\v' || char === '\f';
}

export function skipSpaces(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text[at]!)) at++;
  return at;
}

/** The end of the text without trailing white space. */
export function trimmedEnd(text: string): number {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1]!)) end--;
  return end;
}
