import { matchesWhole, type Step } from './automaton.ts';
import { parseClass } from './character-class.ts';

/** True when the text has characters that a COPY source treats as a pattern. */
export function hasGlob(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/**
 * Matches one path against a COPY or ADD source pattern: `*` and `?` stay within a path segment, `[a-z]` and `[^a]`
 * are classes, `\` takes the next character. The whole path must match. A malformed pattern matches nothing.
 * @see Go path/filepath, Match
 */
export function matchGlob(pattern: string, path: string): boolean {
  const steps = compileGlob(pattern);
  return steps !== null && matchesWhole(steps, path);
}

/** The steps of a `filepath.Match` pattern; null when it is malformed. */
function compileGlob(pattern: string): readonly Step[] | null {
  const steps: Step[] = [];
  let at = 0;
  while (at < pattern.length) {
    const char = String.fromCodePoint(pattern.codePointAt(at)!);
    if (char === '*') {
      if (steps.at(-1)?.kind !== 'star') steps.push({ kind: 'star' });
    } else if (char === '?') steps.push({ kind: 'any' });
    else if (char === '[') {
      const read = parseClass(pattern, at);
      if (!read) return null;
      steps.push({ kind: 'class', members: read.members });
      at = read.end;
      continue;
    } else if (char === '\\') {
      at++;
      if (at >= pattern.length) return null;
      const taken = String.fromCodePoint(pattern.codePointAt(at)!);
      steps.push({ kind: 'literal', char: taken });
      at += taken.length;
      continue;
    } else steps.push({ kind: 'literal', char });
    at += char.length;
  }
  return steps;
}
