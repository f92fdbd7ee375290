import { BerthError } from '../../errors/index.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Fields of a request that no table of the API has typed: absent ones are empty. @throws BerthError `invalid` */
export function integerOf(fields: Fields, name: string): number {
  const value = fields[name] ?? 0;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw wrong(name, 'an integer');
}

export function textOf(fields: Fields, name: string): string {
  const value = fields[name] ?? '';
  if (typeof value === 'string') return value;
  throw wrong(name, 'a string');
}

export function listOf(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name] ?? [];
  if (Array.isArray(value)) return value;
  throw wrong(name, 'a list');
}

export function textsOf(fields: Fields, name: string): readonly string[] {
  const list = listOf(fields, name);
  if (list.every((entry) => typeof entry === 'string')) return list as readonly string[];
  throw wrong(name, 'a list of strings');
}

export function recordOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function wrong(name: string, what: string): BerthError {
  return new BerthError('invalid', `invalid JSON: HostConfig.${name} must be ${what}`);
}
