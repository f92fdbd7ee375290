import { BerthError } from '../../errors/index.ts';

/** What a field of a request body may be. `words` is a list that may also be sent as one string. */
export type FieldType =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'strings'
  | 'words'
  | 'string-map'
  | 'object-map'
  | 'object'
  | 'objects'
  | { readonly fields: Fields; readonly unknown: 'drop' | 'keep' };

export type Fields = Readonly<Record<string, FieldType>>;

/**
 * Checks a JSON value against a table of fields. Keys match without regard to case, as in Go's decoder;
 * null means that the field was not sent; unknown fields are dropped, or kept for the engine to judge.
 * @throws BerthError `invalid` that names the field
 */
export function decodeObject<T>(value: unknown, fields: Fields, unknown: 'drop' | 'keep' = 'drop', at = ''): T {
  if (!isObject(value)) throw new BerthError('invalid', `invalid JSON: ${at || 'the body'} must be an object`);
  const names = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  const result: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(value)) {
    const name = names.get(key.toLowerCase());
    if (given === null || (name === undefined && unknown === 'drop')) continue;
    const path = at === '' ? (name ?? key) : `${at}.${name ?? key}`;
    const decoded = name === undefined ? given : decodeField(given, fields[name]!, path);
    Object.defineProperty(result, name ?? key, {
      value: decoded,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result as T;
}

function decodeField(value: unknown, type: FieldType, path: string): unknown {
  const expect = (fine: boolean, what: string): unknown => {
    if (!fine) throw new BerthError('invalid', `invalid JSON: ${path} must be ${what}`);
    return value;
  };
  if (typeof type === 'object') return decodeObject(value, type.fields, type.unknown, path);
  switch (type) {
    case 'string':
      return expect(typeof value === 'string', 'a string');
    case 'boolean':
      return expect(typeof value === 'boolean', 'true or false');
    case 'integer':
      return expect(Number.isSafeInteger(value), 'a whole number');
    case 'strings':
      return expect(isStrings(value), 'a list of strings');
    case 'words':
      return typeof value === 'string' ? [value] : expect(isStrings(value), 'a string or a list of strings');
    case 'string-map':
      return expect(isObject(value) && isStrings(Object.values(value)), 'an object of strings');
    case 'object-map':
      return expect(
        isObject(value) && Object.values(value).every((v) => v === null || isObject(v)),
        'an object of objects',
      );
    case 'objects':
      return expect(Array.isArray(value) && value.every(isObject), 'a list of objects');
    case 'object':
      return expect(isObject(value), 'an object');
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
