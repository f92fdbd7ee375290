/**
 * Values as templates see them: JSON data, functions with arguments (a row's `Label "x"`), and undefined, which is a
 * missing map key and prints as `<no value>`.
 */
export type Value = unknown;

/** Go's truth: zero numbers, empty strings, lists and maps, null and missing values are false. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object') return Object.keys(value).length > 0;
  return true;
}

/** How an action prints a value at the top: nothing there is `<no value>`. */
export function printValue(value: Value): string {
  return value === undefined || value === null ? '<no value>' : display(value);
}

/** Go's `%v`: `[a b]` for lists, `map[k:v]` with sorted keys for maps. */
export function display(value: Value): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return displayNumber(value);
  if (Array.isArray(value)) return `[${value.map(display).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = sortedEntries(value as Record<string, unknown>);
  return `map[${entries.map(([key, entry]) => `${key}:${display(entry)}`).join(' ')}]`;
}

/** Keys in byte order, as Go's range walks a map. */
export function sortedEntries(map: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function displayNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return BigInt(value).toString();
  // Two digits of exponent, as Go writes them: 1e-07.
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** What a value is called in messages. */
export function typeName(value: Value): string {
  if (value === undefined || value === null) return 'nil';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'map' : typeof value;
}
