import { matchesWhole, runAutomaton, type Step } from './automaton.ts';
import { hasReversedRange, parseClass } from './character-class.ts';
import { cleanPath } from './clean-path.ts';

/** One line of a `.dockerignore` file. */
export interface IgnorePattern {
  /** The cleaned pattern: relative, with `/`, without `!`. */
  readonly text: string;
  /** `!pattern`: what it matches is kept. */
  readonly negated: boolean;
  /** Line in the file from 1; 0 for a pattern from elsewhere, as `COPY --exclude`. */
  readonly line: number;
  /** Why the pattern cannot be used; such a pattern is an error when the file is applied. */
  readonly problem?: string;
}

/**
 * Reads a `.dockerignore` file. `#` is a comment in the first column only.
 * @see moby/patternmatcher ignorefile (behaviour)
 */
export function parseIgnore(text: string): readonly IgnorePattern[] {
  const patterns: IgnorePattern[] = [];
  const lines = text.replace(/^\ufeff/, '').split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('#') || line.trim() === '') continue;
    patterns.push(ignorePattern(line, index + 1));
  }
  return patterns;
}

/** One pattern as written in a file or in `COPY --exclude`. */
export function ignorePattern(written: string, line = 0): IgnorePattern {
  const trimmed = written.trim();
  const negated = trimmed.startsWith('!');
  const body = negated ? trimmed.slice(1).trim() : trimmed;
  if (body === '') return { text: '', negated, line, problem: 'there is no pattern after the !' };
  const cleaned = cleanPath(body);
  const text = cleaned.length > 1 && cleaned.startsWith('/') ? cleaned.slice(1) : cleaned;
  const problem = compile(text).problem;
  return { text, negated, line, ...(problem ? { problem } : {}) };
}

export interface CompiledPattern {
  readonly matches: (path: string) => boolean;
  /** False when the pattern matches nothing below the directory. */
  readonly mayMatchBelow: (directory: string) => boolean;
}

export function compilePattern(text: string): CompiledPattern {
  const { steps } = compile(text);
  const mayMatchBelow = (directory: string) => {
    for (const state of runAutomaton(steps, `${directory}/`)) if (state < steps.length) return true;
    return false;
  };
  if (steps.every((step) => step.kind === 'literal')) {
    const exact = steps.map((step) => (step.kind === 'literal' ? step.char : '')).join('');
    return { matches: (path) => path === exact, mayMatchBelow };
  }
  // Most patterns say no by their first or last characters: only the others are walked.
  const prefix = literals(steps);
  const suffix = [...literals(steps.toReversed())].reverse().join('');
  const matches = (path: string) => path.startsWith(prefix) && path.endsWith(suffix) && matchesWhole(steps, path);
  return { matches, mayMatchBelow };
}

function literals(steps: readonly Step[]): string {
  let text = '';
  for (const step of steps) {
    if (step.kind !== 'literal') break;
    text += step.char;
  }
  return text;
}

/**
 * `**` crosses directories: at the end it takes anything, before more text it takes whole directories, and
 * before a name at the very start it takes any text (`**name` is compared with the end of the path).
 */
function compile(text: string): { steps: readonly Step[]; problem?: string } {
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length) {
    const char = String.fromCodePoint(text.codePointAt(at)!);
    if (text.startsWith('**', at)) at = pushDoubleStar(steps, text, at);
    else if (char === '[') {
      const read = parseClass(text, at);
      if (!read) return { steps, problem: 'the bracket class is malformed' };
      if (hasReversedRange(read.members)) return { steps, problem: 'a range in the bracket class is reversed' };
      steps.push({ kind: 'class', members: read.members });
      at = read.end;
    } else if (char === '\\') {
      if (++at >= text.length) return { steps, problem: 'it ends with a backslash' };
      const taken = String.fromCodePoint(text.codePointAt(at)!);
      steps.push({ kind: 'literal', char: taken });
      at += taken.length;
    } else {
      steps.push(char === '*' ? { kind: 'star' } : char === '?' ? { kind: 'any' } : { kind: 'literal', char });
      at += char.length;
    }
  }
  return { steps };
}

/** Compiles the `**` at `start`; returns where the pattern goes on. */
function pushDoubleStar(steps: Step[], text: string, start: number): number {
  let at = start + 2;
  if (start === 0 && isSuffixPattern(text)) {
    steps.push({ kind: 'rest' });
    return at;
  }
  if (text[at] === '/') at++;
  if (at >= text.length) steps.push({ kind: 'rest' });
  else steps.push({ kind: 'enter' }, { kind: 'loop' });
  return at;
}

/** `**name`: the reference only compares the end of the path. */
function isSuffixPattern(text: string): boolean {
  return text.length > 2 && text[2] !== '/' && !/[*?[\]\\]/.test(text.slice(2));
}
