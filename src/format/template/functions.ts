import { sprint, sprintf } from './printf.ts';
import { display, isTrue, typeName, type Value } from './value.ts';

/** A function of templates: gets its evaluated arguments, throws an `Error` whose message says what is wrong. */
export interface TemplateFunction {
  readonly min: number;
  readonly max: number;
  call(args: readonly Value[]): Value;
}

type Row = readonly [min: number, max: number, call: (...args: never[]) => Value];

/** `and` and `or` are here for the count of their arguments only: they stop early, so the evaluator runs them. */
const rows: Readonly<Record<string, Row>> = {
  and: [1, Infinity, () => undefined],
  or: [1, Infinity, () => undefined],
  not: [1, 1, (value: Value) => !isTrue(value)],
  len: [1, 1, length],
  index: [1, Infinity, (base: Value, ...keys: Value[]) => keys.reduce(indexOne, base)],
  slice: [1, 3, sliceOf],
  eq: [1, Infinity, (first: Value, ...others: Value[]) => equalsAny(first, others)],
  ne: [2, 2, (a: Value, b: Value) => !equals(a, b)],
  lt: [2, 2, (a: Value, b: Value) => compare(a, b) < 0],
  le: [2, 2, (a: Value, b: Value) => compare(a, b) <= 0],
  gt: [2, 2, (a: Value, b: Value) => compare(a, b) > 0],
  ge: [2, 2, (a: Value, b: Value) => compare(a, b) >= 0],
  print: [0, Infinity, (...values: Value[]) => sprint(values)],
  printf: [1, Infinity, (format: Value, ...values: Value[]) => sprintf(text(format), values)],
  println: [0, Infinity, (...values: Value[]) => `${values.map(display).join(' ')}\n`],
  html: [0, Infinity, (...values: Value[]) => escapeHtml(sprint(values))],
  urlquery: [0, Infinity, (...values: Value[]) => encodeURIComponent(sprint(values)).replaceAll('%20', '+')],
  json: [1, 1, (value: Value) => JSON.stringify(value ?? null)],
  split: [2, 2, (value: Value, separator: Value) => text(value).split(text(separator))],
  join: [2, 2, joined],
  title: [1, 1, (value: Value) => text(value).replace(/(?<![\p{L}\p{Nd}_'])\p{L}/gu, (letter) => letter.toUpperCase())],
  lower: [1, 1, (value: Value) => text(value).toLowerCase()],
  upper: [1, 1, (value: Value) => text(value).toUpperCase()],
  pad: [3, 3, padded],
  truncate: [2, 2, (value: Value, width: Value) => [...text(value)].slice(0, whole(width)).join('')],
};

export const functions: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries(rows).map(([name, [min, max, call]]) => [
    name,
    { min, max, call: (args) => (call as (...args: readonly Value[]) => Value)(...args) },
  ]),
);

/**
 * Heads of tables pass through the same template as the rows, as plain words: what changes a value leaves them alone.
 * @see docker/cli templates, HeaderFunctions
 */
export const headFunctions: ReadonlyMap<string, TemplateFunction> = new Map(
  [...functions].map(([name, known]) =>
    ['json', 'title', 'lower', 'upper', 'truncate', 'split', 'join'].includes(name)
      ? [name, { ...known, call: (args) => args[0] }]
      : [name, known],
  ),
);

/** One element of a list, character code of a string, or value of a map; a missing key of a map of strings is empty. */
function indexOne(base: Value, key: Value): Value {
  if (base === null || base === undefined) return typeof key === 'string' ? '' : fail('index of nil');
  if (Array.isArray(base) || typeof base === 'string') {
    const at = whole(key);
    const size = typeof base === 'string' ? Buffer.byteLength(base) : base.length;
    if (at < 0 || at >= size) fail(`index out of range: ${at}`);
    return typeof base === 'string' ? Buffer.from(base)[at] : base[at];
  }
  if (typeof base !== 'object') fail(`cannot index a ${typeName(base)}`);
  if (typeof key !== 'string') fail(`the key of a map is a string, not a ${typeName(key)}`);
  const map = base as Readonly<Record<string, Value>>;
  if (Object.hasOwn(map, key as string)) return map[key as string];
  return Object.values(map).every((value) => typeof value === 'string') ? '' : undefined;
}

function length(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value === null || value === undefined) return 0;
  if (typeof value === 'object') return Object.keys(value).length;
  return fail(`a ${typeName(value)} has no length`);
}

function sliceOf(value: Value, from: Value = 0, to?: Value): Value {
  if (typeof value !== 'string' && !Array.isArray(value)) return fail(`cannot slice a ${typeName(value)}`);
  const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
  const start = whole(from);
  const end = to === undefined ? size : whole(to);
  if (start < 0 || end > size || start > end) fail(`slice out of range: ${start} to ${end} of ${size}`);
  return typeof value === 'string' ? Buffer.from(value).toString('utf8', start, end) : value.slice(start, end);
}

function equalsAny(first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) fail('nothing to compare with');
  return others.some((other) => equals(first, other));
}

function equals(a: Value, b: Value): boolean {
  const left = a ?? null;
  const right = b ?? null;
  if (left === null || right === null) return left === right;
  if (typeof left === 'object' || typeof right === 'object') fail('lists and maps cannot be compared');
  if (typeof left !== typeof right) fail(`cannot compare a ${typeName(left)} with a ${typeName(right)}`);
  return left === right;
}

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return fail(`cannot order a ${typeName(a)} and a ${typeName(b)}`);
}

function joined(values: Value, separator: Value): string {
  if (values === null || values === undefined) return '';
  if (!Array.isArray(values)) return fail(`join takes a list, not a ${typeName(values)}`);
  return values.map(display).join(text(separator));
}

function padded(value: Value, left: Value, right: Value): string {
  const content = text(value);
  return content === '' ? '' : ' '.repeat(whole(left)) + content + ' '.repeat(whole(right));
}

function escapeHtml(value: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&#34;',
    "'": '&#39;',
  };
  return value.replace(/[&<>"']/g, (character) => entities[character]!);
}

function text(value: Value): string {
  return typeof value === 'string' ? value : fail(`expected a string, found a ${typeName(value)}`);
}

function whole(value: Value): number {
  return Number.isSafeInteger(value) ? (value as number) : fail(`expected a whole number, found a ${typeName(value)}`);
}

function fail(message: string): never {
  throw new Error(message);
}
