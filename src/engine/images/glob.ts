import { BerthError } from '../../errors/index.ts';

/** Go's `path.Match` as a test: `*` and `?` stop at `/`, `[a-z]` and `[^a]` are classes. @throws BerthError `invalid` */
export function pathGlob(pattern: string): (text: string) => boolean {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) throw badPattern(pattern);
      const body = pattern.slice(at + 1, end).replace(/[\\[\]]/g, '\\$&');
      source += `(?!/)[${body}]`;
      at = end;
    } else if (character === '\\') {
      at += 1;
      if (at === pattern.length) throw badPattern(pattern);
      source += literal(pattern[at] ?? '');
    } else source += literal(character);
  }
  try {
    const expression = new RegExp(`^${source}$`, 's');
    return (text) => expression.test(text);
  } catch {
    throw badPattern(pattern);
  }
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function badPattern(pattern: string): BerthError {
  return new BerthError('invalid', `syntax error in pattern: ${JSON.stringify(pattern)}`);
}
