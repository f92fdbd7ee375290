/** A bracket class of Go's `filepath.Match`: ranges of code points, maybe negated. */
export interface CharacterClass {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [low: number, high: number])[];
}

/** Reads the class whose `[` stands at `start`; null when it is malformed. `end` is after the `]`. */
export function parseClass(pattern: string, start: number): { members: CharacterClass; end: number } | null {
  let at = start + 1;
  const negated = pattern[at] === '^';
  if (negated) at++;
  const ranges: [number, number][] = [];
  /** One member; `-` and `]` must be escaped to be one. */
  const member = (): number | null => {
    let char = pattern[at];
    if (char === undefined || char === '-' || char === ']') return null;
    if (char === '\\') char = pattern[++at];
    if (char === undefined) return null;
    const code = pattern.codePointAt(at)!;
    at += code > 0xffff ? 2 : 1;
    return code;
  };
  while (true) {
    if (pattern[at] === ']' && ranges.length > 0) return { members: { negated, ranges }, end: at + 1 };
    const low = member();
    if (low === null) return null;
    let high: number | null = low;
    if (pattern[at] === '-') {
      at++;
      high = member();
      if (high === null) return null;
    }
    ranges.push([low, high]);
  }
}

export function inClass({ negated, ranges }: CharacterClass, char: string): boolean {
  const code = char.codePointAt(0)!;
  return ranges.some(([low, high]) => low <= code && code <= high) !== negated;
}

export function hasReversedRange({ ranges }: CharacterClass): boolean {
  return ranges.some(([low, high]) => low > high);
}
