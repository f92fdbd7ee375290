import { BerthError, isBerthError } from '../../errors/index.ts';
import { parseDuration, parseSize } from '../../units/index.ts';
import type { FlagSpec } from './spec.ts';

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

type FlagValue = boolean | number | string | readonly string[];

/** Flags of one call. Every getter is typed: asking for another type than the table's is a bug and throws. */
export class FlagValues {
  readonly #specs: ReadonlyMap<string, FlagSpec>;
  readonly #given = new Map<string, FlagValue>();

  constructor(specs: readonly FlagSpec[]) {
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
  }

  /** Takes one occurrence from the command line. @throws BerthError `invalid` */
  add(spec: FlagSpec, text: string): void {
    if (!isRepeatable(spec)) {
      this.#given.set(spec.name, readOne(spec, text));
      return;
    }
    const before = (this.#given.get(spec.name) ?? []) as readonly string[];
    this.#given.set(spec.name, [...before, checkedItem(spec, text)]);
  }

  /** True when the flag was on the command line. */
  has(name: string): boolean {
    this.#spec(name);
    return this.#given.has(name);
  }

  bool(name: string): boolean {
    return this.#value(name, 'boolean') ?? false;
  }

  /** Undefined when neither given nor defaulted. */
  string(name: string): string | undefined {
    return this.#value(name, 'string');
  }

  number(name: string): number | undefined {
    return this.#value(name, 'number');
  }

  list(name: string): readonly string[] {
    if (!isRepeatable(this.#spec(name))) throw new Error(`flag ${name} is not a list`);
    return (this.#given.get(name) ?? []) as readonly string[];
  }

  #value(name: string, type: 'boolean'): boolean | undefined;
  #value(name: string, type: 'string'): string | undefined;
  #value(name: string, type: 'number'): number | undefined;
  #value(name: string, type: 'boolean' | 'string' | 'number'): FlagValue | undefined {
    const spec = this.#spec(name);
    const value = this.#given.get(name) ?? (spec.default === undefined ? undefined : readOne(spec, spec.default));
    if (value !== undefined && typeof value !== type) throw new Error(`flag ${name} is not a ${type}`);
    return value;
  }

  #spec(name: string): FlagSpec {
    const spec = this.#specs.get(name);
    if (!spec) throw new Error(`there is no flag ${name} in the command's table`);
    return spec;
  }
}

export function isRepeatable({ type }: FlagSpec): boolean {
  return type === 'list' || type === 'mount' || type === 'filter' || type === 'map' || type === 'ulimit';
}

function readOne(spec: FlagSpec, text: string): FlagValue {
  switch (spec.type) {
    case 'bool':
      if (TRUE.has(text)) return true;
      if (FALSE.has(text)) return false;
      throw invalid(spec, text, 'write true or false');
    case 'int':
      if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
      throw invalid(spec, text, 'not a whole number');
    case 'decimal':
      if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
      throw invalid(spec, text, 'not a number');
    case 'bytes':
      return reworded(spec, text, parseSize);
    case 'duration':
      return reworded(spec, text, parseDuration);
    default:
      return text;
  }
}

function checkedItem(spec: FlagSpec, text: string): string {
  if (spec.type === 'filter' && !/^[^=]+=/.test(text)) {
    throw invalid(spec, text, 'bad format of filter (expected name=value)');
  }
  return text;
}

function reworded<T>(spec: FlagSpec, text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    if (!isBerthError(error)) throw error;
    throw invalid(spec, text, error.message);
  }
}

function invalid(spec: FlagSpec, text: string, why: string): BerthError {
  return new BerthError(
    'invalid',
    `invalid argument ${JSON.stringify(text)} for ${JSON.stringify(flagLabel(spec))} flag: ${why}`,
  );
}

/** As `-e, --env`. */
export function flagLabel({ name, short }: FlagSpec): string {
  return short ? `-${short}, --${name}` : `--${name}`;
}
