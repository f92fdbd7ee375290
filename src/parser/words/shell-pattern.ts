import { WordError } from './word-error.ts';

/** A compiled `${v#pattern}` pattern: literal characters, `?` and `*` (no bracket classes, as in the reference). */
export type ShellPattern = readonly (string | typeof ANY | typeof STAR)[];

const ANY = Symbol('?');
const STAR = Symbol('*');

export function compilePattern(text: string, offset: number): ShellPattern {
  const pattern: ShellPattern[number][] = [];
  const chars = [...text];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at]!;
    if (char === '*') {
      if (pattern.at(-1) !== STAR) pattern.push(STAR);
    } else if (char === '?') pattern.push(ANY);
    else if (char === '\\') {
      const next = chars[++at];
      if (next === undefined) throw new WordError('pattern ends with a backslash', offset);
      pattern.push(next);
    } else pattern.push(char);
  }
  return pattern;
}

export function removePrefix(value: string, pattern: ShellPattern, longest: boolean): string {
  const chars = [...value];
  const end = matchEnd(chars, 0, pattern, longest).end;
  return end < 0 ? value : chars.slice(end).join('');
}

export function removeSuffix(value: string, pattern: ShellPattern, longest: boolean): string {
  const chars = [...value].reverse();
  const end = matchEnd(chars, 0, [...pattern].reverse(), longest).end;
  return end < 0 ? value : chars.slice(end).reverse().join('');
}

/** Replaces the leftmost longest match, or every one. */
export function replaceMatches(value: string, pattern: ShellPattern, replacement: string, all: boolean): string {
  const chars = [...value];
  let result = '';
  let at = 0;
  let afterMatch = false;
  while (at <= chars.length) {
    const { end, starved } = matchEnd(chars, at, pattern, true);
    // What follows a star is nowhere to the right: no later start can do better.
    if (end < 0 && starved) break;
    const empty = end === at;
    if (end >= 0 && !(empty && afterMatch)) {
      result += replacement;
      if (!all) return result + chars.slice(end).join('');
      at = end;
      afterMatch = !empty;
      if (!empty) continue;
    }
    if (at < chars.length) result += chars[at]!;
    afterMatch = false;
    at++;
  }
  return result + chars.slice(at).join('');
}

/** Simulates all ways at once: time is text times pattern, never exponential. `end` is -1 without a match. */
function matchEnd(
  chars: readonly string[],
  from: number,
  pattern: ShellPattern,
  longest: boolean,
): { end: number; starved: boolean } {
  let states = close(new Set([0]), pattern);
  let end = -1;
  for (let at = from; ; at++) {
    if (states.has(pattern.length)) {
      end = at;
      if (!longest) break;
    }
    const char = chars[at];
    if (char === undefined || states.size === 0) break;
    const next = new Set<number>();
    for (const state of states) {
      const part = pattern[state];
      if (part === STAR) next.add(state);
      else if (part === ANY || part === char) next.add(state + 1);
    }
    states = close(next, pattern);
  }
  return { end, starved: [...states].some((state) => pattern[state] === STAR) };
}

function close(states: Set<number>, pattern: ShellPattern): Set<number> {
  for (const state of states) if (pattern[state] === STAR) states.add(state + 1);
  return states;
}
