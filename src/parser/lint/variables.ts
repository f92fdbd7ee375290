import type { Span } from '../../diagnostics/index.ts';
import type { Heredoc, Word } from '../ir.ts';
import { partOf } from './finding.ts';

const FARTHEST = 2;
const MOST_CANDIDATES = 200;

/** The defined variable that a name was most likely meant to be: at most two letters away, case counts. */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > 100) return undefined;
  let best: string | undefined;
  let bestDistance = FARTHEST + 1;
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > MOST_CANDIDATES) break;
    const distance = levenshtein(name, candidate, bestDistance);
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Where `$name` or `${name` stands in the word; the whole word when it is not written in one piece. */
export function variableSpan(word: Word, name: string): Span {
  const found = findVariable(word.text, name);
  return (found && partOf(word, found.start, found.end)) ?? word.span;
}

/** Where the variable stands first in the body; the body is written as it is in the file. */
export function variableInHeredoc({ content, span }: Heredoc, name: string): Span {
  const found = findVariable(content, name);
  if (!found) return span;
  const before = content.slice(0, found.start);
  const line = span.start.line + (before.match(/\n/g)?.length ?? 0);
  const column = found.start - before.lastIndexOf('\n');
  const offset = span.start.offset + found.start;
  const length = found.end - found.start;
  return {
    file: span.file,
    start: { offset, line, column },
    end: { offset: offset + length, line, column: column + length },
  };
}

function findVariable(text: string, name: string): { start: number; end: number } | undefined {
  const braced = text.indexOf(`\${${name}`);
  const bare = text.indexOf(`$${name}`);
  const start = braced < 0 || (bare >= 0 && bare < braced) ? bare : braced;
  if (start < 0) return undefined;
  const end = start + name.length + (start === braced ? 2 : 1);
  return { start, end: start === braced && text[end] === '}' ? end + 1 : end };
}

/** Insertions, deletions and replacements; a swap of neighbours counts as two. Cut off at `limit`. */
function levenshtein(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const change = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const cost = Math.min(change, previous[j]! + 1, row[j - 1]! + 1);
      row.push(cost);
      if (cost < least) least = cost;
    }
    if (least >= limit) return limit;
    previous = row;
  }
  return Math.min(previous[b.length]!, limit);
}
