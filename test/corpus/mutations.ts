/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Pieces that mean something somewhere in a Dockerfile. */
const PIECES = [
  ...['\\', '`', '\n', '\r\n', '\r', '\t', ' ', '  ', '"', "'", '$', '${', '}', '${A', '${A:-', '${A/', '[', ']', ','],
  ...[
    '["a"]',
    '["a',
    '<<EOF',
    '<<-"E F"',
    '\nEOF\n',
    '<<',
    '=',
    ':',
    '--',
    '--from=',
    '--mount=type=',
    '#',
    '\n#',
    '# ',
  ],
  ...[
    '\n\n',
    '\\\n',
    '\\\n\n',
    'FROM ',
    'ONBUILD ',
    'RUN ',
    'COPY ',
    'ENV ',
    'ARG ',
    'CMD ',
    'LABEL ',
    'AS ',
    'HEALTHCHECK ',
  ],
  ...[
    '# check=',
    'skip=all',
    '# escape=`\n',
    '\u0000',
    '\ufeff',
    '\u2028',
    'é',
    '😀',
    '\ud800',
    '\u0085',
    '\u00a0',
    '((',
    '))',
  ],
];

/** A text of the corpus with one to six changes: pieces put in, cut out, doubled, swapped or taken from another text. */
export function mutate(texts: readonly string[], next: () => number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
  let text = pick(texts).slice(0, 4000);
  const changes = 1 + Math.floor(next() * 6);
  for (let change = 0; change < changes; change++) {
    const at = Math.floor(next() * (text.length + 1));
    const end = Math.min(text.length, at + Math.floor(next() * 12));
    const [before, middle, after] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
    const kind = Math.floor(next() * 6);
    if (kind === 0) text = before + after;
    else if (kind === 1) text = before + middle + middle + after;
    else if (kind === 2) text = before + String.fromCharCode(Math.floor(next() * 128)) + middle + after;
    else if (kind === 3) {
      const other = pick(texts);
      const from = Math.floor(next() * other.length);
      text = before + other.slice(from, from + Math.floor(next() * 60)) + after;
    } else text = before + pick(PIECES) + (kind === 4 ? middle : '') + after;
  }
  return text;
}
