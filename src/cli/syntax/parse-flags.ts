import { nearest } from '../../diagnostics/index.ts';
import { BerthError } from '../../errors/index.ts';
import { FlagValues } from './flag-values.ts';
import type { FlagSpec } from './spec.ts';

export interface ParsedFlags {
  readonly values: FlagValues;
  /** What is not a flag. */
  readonly args: readonly string[];
  /** `--help` or, where the command has no own use for it, `-h`. */
  readonly help: boolean;
}

export interface ParseOptions {
  /** False: flags end at the first argument. */
  readonly interspersed: boolean;
}

/**
 * Reads flags as Docker's CLI does: `--name value`, `--name=value`, `-n value`, `-nvalue`, bundles as `-it`,
 * `-d=false`, repeated flags, and `--` which ends them.
 * @throws BerthError `invalid` with the words that Docker uses
 * @see spf13/pflag
 */
export function parseFlags(
  argv: readonly string[],
  specs: readonly FlagSpec[],
  { interspersed }: ParseOptions,
): ParsedFlags {
  const parser = new FlagParser(specs);
  const args: string[] = [];
  const rest = [...argv];
  while (rest.length > 0) {
    const word = rest.shift()!;
    if (word === '--') {
      args.push(...rest);
      break;
    }
    if (word.startsWith('--')) parser.long(word, rest);
    else if (word.startsWith('-') && word !== '-') parser.short(word, rest);
    else {
      args.push(word);
      if (interspersed) continue;
      args.push(...rest);
      break;
    }
  }
  return { values: parser.values, args, help: parser.help };
}

class FlagParser {
  readonly values: FlagValues;
  help = false;
  readonly #byName = new Map<string, FlagSpec>();
  readonly #byShort = new Map<string, FlagSpec>();

  constructor(specs: readonly FlagSpec[]) {
    this.values = new FlagValues(specs);
    for (const spec of specs) {
      for (const name of [spec.name, ...(spec.aliases ?? [])]) this.#byName.set(name, spec);
      if (spec.short) this.#byShort.set(spec.short, spec);
    }
  }

  /** `rest` loses its first word when that is the flag's value. */
  long(word: string, rest: string[]): void {
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    if (name === '' || name.startsWith('-')) throw new BerthError('invalid', `bad flag syntax: ${word}`);
    const spec = this.#byName.get(name);
    if (!spec) {
      if (name === 'help') this.help = true;
      else throw this.#unknown(name);
      return;
    }
    if (equals >= 0) this.#set(spec, word.slice(equals + 1));
    else if (spec.type === 'bool') this.#set(spec, 'true');
    else this.#set(spec, this.#next(rest, `--${name}`));
  }

  short(word: string, rest: string[]): void {
    for (let letters = word.slice(1); letters !== ''; letters = letters.slice(1)) {
      const letter = letters[0]!;
      const behind = letters.slice(1);
      const spec = this.#byShort.get(letter);
      if (!spec && letter === 'h') {
        this.help = true;
        continue;
      }
      if (!spec) throw new BerthError('invalid', `unknown shorthand flag: '${letter}' in -${letters}`);
      const isSwitch = spec.type === 'bool' && !behind.startsWith('=');
      if (isSwitch) {
        this.#set(spec, 'true');
        continue;
      }
      const attached = behind.replace(/^=/, '');
      this.#set(spec, behind !== '' ? attached : this.#next(rest, `'${letter}' in -${letters}`));
      return;
    }
  }

  #set(spec: FlagSpec, text: string): void {
    if (spec.status === 'planned' && !spec.inert?.includes(text)) {
      throw new BerthError('unsupported', `flag --${spec.name} is not there yet`);
    }
    this.values.add(spec, text);
  }

  #next(rest: string[], label: string): string {
    const value = rest.shift();
    if (value === undefined) throw new BerthError('invalid', `flag needs an argument: ${label}`);
    return value;
  }

  #unknown(name: string): BerthError {
    const known = [...this.#byName].filter(([, spec]) => !spec.hidden).map(([candidate]) => candidate);
    const meant = nearest(name, [...known, 'help']);
    return new BerthError('invalid', `unknown flag: --${name}`, meant ? { hint: `did you mean --${meant}?` } : {});
  }
}
