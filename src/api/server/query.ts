import { BerthError } from '../../errors/index.ts';

const FALSE_WORDS = new Set(['', '0', 'no', 'false', 'none']);

/** Query parameters, read in the way that Docker's engine reads them. An empty value counts as absent. */
export class Query {
  readonly #params: URLSearchParams;

  constructor(search: string) {
    this.#params = new URLSearchParams(search);
  }

  text(name: string): string | undefined {
    return this.#params.get(name) || undefined;
  }

  /** Every value of a repeated parameter. */
  all(name: string): readonly string[] {
    return this.#params.getAll(name).filter((value) => value !== '');
  }

  flag(name: string, absent = false): boolean {
    const value = this.#params.get(name);
    return value === null ? absent : !FALSE_WORDS.has(value.trim().toLowerCase());
  }

  /** @throws BerthError `invalid` */
  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^[+-]?\d+$/.test(value) || !Number.isSafeInteger(number)) {
      throw new BerthError('invalid', `invalid value for ${name}: ${JSON.stringify(value)} is not a whole number`);
    }
    return number;
  }

  /** `seconds[.fraction]` since the epoch, or a date, as milliseconds. @throws BerthError `invalid` */
  time(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const ms = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value);
    if (!Number.isFinite(ms))
      throw new BerthError('invalid', `invalid value for ${name}: ${JSON.stringify(value)} is not a time`);
    return ms;
  }

  /** A JSON value. @throws BerthError `invalid` */
  json(name: string): unknown {
    const value = this.text(name);
    if (value === undefined) return undefined;
    try {
      return JSON.parse(value);
    } catch (cause) {
      throw new BerthError('invalid', `invalid value for ${name}: not JSON`, { cause });
    }
  }
}

/** `{ [name]: value }`, or nothing when the value is undefined: optional fields stay absent. */
export function optional<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [P in K]?: V });
}
