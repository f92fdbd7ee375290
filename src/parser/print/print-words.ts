import type { Word } from '../ir.ts';
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
export function pathList(words: readonly Word[], extra: readonly string[] = []): string {
  const [last] = words.slice(-1);
  const plain = [...words.slice(0, -1).map(({ text }) => text), ...extra, ...(last ? [last.text] : [])];
  const text = plain.join(' ');
  const isPlain = words.every((word) => word.text !== '' && !/[\s<]/.test(word.text)) && !isJsonArray(text);
  return isPlain || extra.length > 0 ? afterFlags(text) : jsonForm(words);
}

/** Arguments that begin with `--` must not be taken for flags. */
export function afterFlags(text: string): string {
  return text.startsWith('--') ? `-- ${text}` : text;
}

/** One field of a `--mount`, quoted as CSV does it. */
export function commaField(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
