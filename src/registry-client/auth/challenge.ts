/** One way to prove oneself that a server offers. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const MAX_HEADER = 16 * 1024;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/**
 * Reads `WWW-Authenticate`. What cannot be read ends the list: a header is never a reason to fail.
 * @see RFC 9110, 11.6.1
 */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  if (header === undefined || header.length > MAX_HEADER) return [];
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;
  const skip = (pattern: RegExp) => {
    while (at < header.length && pattern.test(header[at] ?? '')) at += 1;
  };
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found) at += found[0].length;
    return found;
  };
  for (;;) {
    skip(/[\s,]/);
    const word = take(TOKEN)?.[0];
    if (word === undefined) return challenges;
    skip(/\s/);
    if (header[at] !== '=') {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
      continue;
    }
    at += 1;
    skip(/\s/);
    const quoted = take(QUOTED);
    const value = quoted ? quoted[1]?.replace(/\\(.)/g, '$1') : take(TOKEN)?.[0];
    const challenge = challenges.at(-1);
    if (value === undefined || challenge === undefined) return challenges;
    challenge.parameters[word.toLowerCase()] = value;
  }
}
