/** The decoded array when the whole text is JSON for one; undefined when it is not, and then it is shell form. */
export function isJsonArray(text: string): boolean {
  if (!text.startsWith('[') || !text.endsWith(']')) return false;
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

/** The end of the JSON string that opens at `from`. The text is known to be valid JSON. */
export function jsonStringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, text.length);
}

/** The end of a JSON value that is not a string, at any nesting, without recursion. */
export function jsonValueEnd(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '"') {
      at = jsonStringEnd(text, at);
      continue;
    }
    if (depth === 0 && (char === ',' || char === ']' || ' \t\r\n'.includes(char))) break;
    if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    at++;
    if (depth === 0 && (char === ']' || char === '}')) break;
  }
  return at;
}
