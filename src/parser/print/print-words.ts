import type { Word } from '../ir.ts';
import { findHeredocMarkers } from '../lex/heredoc.ts';
import { isJsonArray } from '../lex/json-array.ts';

/** A flag value as `--name=value` takes it: blanks, quotes and backslashes are escaped. */
export function flagValue(text: string): string {
  return text.replace(/[\s"'\\]/g, (char) => `\\${char}`);
}

/** A list of strings in JSON form. */
export function jsonForm(words: readonly Word[]): string {
  return `[${words.map(({ text }) => JSON.stringify(text)).join(', ')}]`;
}

/** Paths as words, or as JSON when one of them could not be told apart from what is around it. */
export function pathList(words: readonly Word[], markers: readonly string[] = []): string {
  const texts = words.map(({ text }) => text);
  if (markers.length > 0) {
    // The reference takes a marker behind a no-break space for one, though it is part of a path: then it is there already.
    const missing = markers.slice(findHeredocMarkers(texts.join(' ')).length);
    return afterFlags([...texts.slice(0, -1), ...missing, ...texts.slice(-1)].join(' '));
  }
  const plain = texts.join(' ');
  const isPlain = texts.every((text) => text !== '' && !/[\s<]/.test(text)) && !isJsonArray(plain);
  return isPlain ? afterFlags(plain) : jsonForm(words);
}

/** Arguments that begin with `--` must not be taken for flags. */
export function afterFlags(text: string): string {
  return text.startsWith('--') ? `-- ${text}` : text;
}

/** One field of a `--mount`, quoted as CSV does it. */
export function commaField(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
