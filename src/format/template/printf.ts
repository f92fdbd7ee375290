import { display } from './value.ts';

const VERB = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+))?([a-zA-Z%])/g;

interface Verb {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly letter: string;
}

/** Go's `fmt.Sprintf` for strings, numbers, booleans, lists and maps. Wrong verbs print `%!d(string=x)`, as in Go. */
export function sprintf(format: string, values: readonly unknown[]): string {
  let next = 0;
  const take = () => values[next++];
  const text = format.replace(VERB, (_whole, flags: string, width, precision, letter: string) => {
    if (letter === '%') return '%';
    const read = (part: string | undefined) =>
      part === undefined ? undefined : part === '*' ? Number(take()) : Number(part);
    let verb: Verb = { flags, width: read(width), precision: read(precision), letter };
    if (verb.width !== undefined && verb.width < 0) verb = { ...verb, width: -verb.width, flags: `${flags}-` };
    if (next >= values.length) return `%!${letter}(MISSING)`;
    return pad(formatOne(verb, take()), verb);
  });
  if (next >= values.length) return text;
  const extra = values.slice(next).map((value) => `${goType(value)}=${display(value)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

/** Go's `fmt.Sprint`: operands are joined with a space only where neither side is a string. */
export function sprint(values: readonly unknown[]): string {
  return values.reduce<string>((text, value, index) => {
    const gap = index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string' ? ' ' : '';
    return `${text}${gap}${display(value)}`;
  }, '');
}

function formatOne(verb: Verb, value: unknown): string {
  const { letter, flags, precision } = verb;
  const wrong = () => `%!${letter}(${goType(value)}=${display(value)})`;
  switch (letter) {
    case 'v':
      return typeof value === 'number' ? signed(display(value), flags) : display(value);
    case 's':
      return typeof value === 'number' || typeof value === 'boolean' ? wrong() : cut(display(value), precision);
    case 'q':
      return typeof value === 'string' ? JSON.stringify(cut(value, precision)) : wrong();
    case 't':
      return typeof value === 'boolean' ? String(value) : wrong();
    case 'T':
      return goType(value);
    case 'x':
    case 'X':
      return hexadecimal(verb, value) ?? wrong();
    case 'd':
    case 'b':
    case 'o':
    case 'c':
      return Number.isSafeInteger(value) ? integer(letter, value as number, flags) : wrong();
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      return typeof value === 'number' ? real(verb, value) : wrong();
    default:
      return wrong();
  }
}

function integer(letter: string, value: number, flags: string): string {
  if (letter === 'c') return String.fromCodePoint(value);
  return signed(value.toString({ b: 2, o: 8, d: 10 }[letter as 'b' | 'o' | 'd']), flags);
}

function hexadecimal({ letter, flags }: Verb, value: unknown): string | undefined {
  const prefix = flags.includes('#') ? '0x' : '';
  const text = Number.isSafeInteger(value)
    ? (value as number).toString(16)
    : typeof value === 'string'
      ? Buffer.from(value).toString('hex')
      : undefined;
  if (text === undefined) return undefined;
  return letter === 'X' ? `${prefix}${text}`.toUpperCase() : `${prefix}${text}`;
}

function real({ letter, flags, precision }: Verb, value: number): string {
  const lower = letter.toLowerCase();
  const twoDigits = (text: string) => text.replace(/e([+-])(\d)$/, 'e$10$2');
  let text: string;
  if (lower === 'f') text = value.toFixed(precision ?? 6);
  else if (lower === 'e') text = twoDigits(value.toExponential(precision ?? 6));
  else text = precision === undefined ? display(value) : twoDigits(String(Number(value.toPrecision(precision || 1))));
  return signed(letter === lower ? text : text.toUpperCase(), flags);
}

function signed(text: string, flags: string): string {
  if (text.startsWith('-')) return text;
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
}

function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : [...text].slice(0, precision).join('');
}

function pad(text: string, { width, flags, letter }: Verb): string {
  const missing = (width ?? 0) - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || 'sqv'.includes(letter)) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.test(text) ? text[0]! : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function goType(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return '[]interface {}';
  return typeof value === 'object' ? 'map[string]interface {}' : typeof value;
}
