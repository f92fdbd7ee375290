import { isSpace } from './characters.ts';
import { compilePattern, removePrefix, removeSuffix, replaceMatches } from './shell-pattern.ts';
import { WordError } from './word-error.ts';

export type EscapeToken = '\\' | '`';

export interface LexOptions {
  readonly escape: EscapeToken;
  readonly lookup: (name: string) => string | undefined;
  /** Quotes are ordinary text, as in heredoc bodies. */
  readonly literalQuotes?: boolean;
  /** Unset variables stay as they are written. */
  readonly keepUnset?: boolean;
  /** Quotes stay in the result, though they still protect what is inside. */
  readonly keepQuotes?: boolean;
}

export interface LexResult {
  readonly value: string;
  /** The value split at unquoted white space, also inside expanded variables. */
  readonly words: readonly string[];
  readonly used: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

/** Deeper nesting than any person writes; keeps hostile input off the call stack. */
const MAX_DEPTH = 400;
const SPECIAL_PARAMETERS = '@*#?-$!0';
const LETTER_OR_DIGIT = /[\p{L}\p{Nd}_]/u;

export function lexShellWord(text: string, options: LexOptions): LexResult {
  return new ShellLexer(text, options).run();
}

/**
 * Quote removal and variable expansion of one Dockerfile word.
 * @see BuildKit, frontend/dockerfile/shell (behaviour; measured by shared shell cases)
 */
class ShellLexer {
  readonly #text: string;
  readonly #options: LexOptions;
  readonly #used = new Set<string>();
  readonly #missing = new Set<string>();
  readonly #words: string[] = [];
  #word = '';
  #at = 0;
  #depth = 0;
  #rawEscapes = false;

  constructor(text: string, options: LexOptions) {
    this.#text = text;
    this.#options = options;
  }

  run(): LexResult {
    const value = this.#until(undefined, true);
    this.#endWord();
    return { value, words: this.#words, used: this.#used, missing: this.#missing };
  }

  /** Reads up to `stop` (consumed) or the end. Only the outermost call splits into words. */
  #until(stop: string | undefined, outer: boolean): string {
    let result = '';
    while (this.#at < this.#text.length) {
      const char = this.#char();
      if (char === stop) {
        this.#at++;
        return result;
      }
      let piece: string;
      let splits = false;
      if (char === '$') {
        piece = this.#dollar();
        splits = true;
      } else if (char === "'" && !this.#options.literalQuotes) {
        piece = this.#singleQuoted();
      } else if (char === '"' && !this.#options.literalQuotes) {
        piece = this.#doubleQuoted();
      } else if (char === this.#options.escape) {
        piece = this.#escaped();
      } else {
        this.#at += char.length;
        piece = char;
        splits = true;
      }
      result += piece;
      if (outer) this.#append(piece, splits);
    }
    if (stop !== undefined) throw new WordError(`missing '${stop}'`, this.#text.length);
    return result;
  }

  #append(piece: string, splits: boolean): void {
    if (!splits) {
      this.#word += piece;
      return;
    }
    for (const char of piece) {
      if (isSpace(char)) this.#endWord();
      else this.#word += char;
    }
  }

  #endWord(): void {
    if (this.#word !== '') this.#words.push(this.#word);
    this.#word = '';
  }

  #char(): string {
    return String.fromCodePoint(this.#text.codePointAt(this.#at)!);
  }

  #escaped(): string {
    const start = this.#at++;
    if (this.#at >= this.#text.length) return this.#rawEscapes ? this.#text[start]! : '';
    const char = this.#char();
    this.#at += char.length;
    return this.#rawEscapes ? this.#text[start]! + char : char;
  }

  #singleQuoted(): string {
    const close = this.#text.indexOf("'", this.#at + 1);
    if (close < 0) throw new WordError("missing closing quote (')", this.#at);
    const content = this.#text.slice(this.#at + 1, close);
    this.#at = close + 1;
    return this.#options.keepQuotes ? `'${content}'` : content;
  }

  #doubleQuoted(): string {
    const open = this.#at++;
    let result = '';
    while (this.#at < this.#text.length) {
      const char = this.#char();
      if (char === '"') {
        this.#at++;
        return this.#options.keepQuotes ? `"${result}"` : result;
      }
      if (char === '$') {
        result += this.#dollar();
        continue;
      }
      this.#at += char.length;
      if (char !== this.#options.escape) {
        result += char;
        continue;
      }
      const next = this.#text[this.#at];
      if (next === undefined) break;
      const escapable = next === '"' || next === '$' || next === this.#options.escape;
      if (this.#rawEscapes || !escapable) result += char;
      if (escapable) {
        result += next;
        this.#at++;
      }
    }
    throw new WordError('missing closing quote (")', open);
  }

  #dollar(): string {
    const start = this.#at++;
    if (this.#text[this.#at] !== '{') {
      const name = this.#name();
      return name === '' ? '$' : this.#plain(name, start);
    }
    this.#at++;
    const first = this.#text[this.#at];
    if (first === undefined) throw new WordError("missing '}'", this.#text.length);
    if (first === '{' || first === '}' || first === ':') {
      throw new WordError(`bad substitution: '\${${first}' has no variable name`, start);
    }
    if (++this.#depth > MAX_DEPTH) throw new WordError('variables are nested too deeply', start);
    const value = this.#braced(start);
    this.#depth--;
    return value;
  }

  #braced(start: number): string {
    const name = this.#name();
    const operatorAt = this.#at;
    let operator = this.#next();
    if (operator === '}') return this.#plain(name, start);
    const nullIsUnset = operator === ':';
    if (nullIsUnset) operator = this.#next();
    if (name === '') throw this.#unsupported(operatorAt);
    if ('-+?'.includes(operator) && operator !== '') return this.#conditional(name, operator, nullIsUnset, start);
    if (nullIsUnset && operator === '}') throw new WordError("missing '}'", this.#text.length);
    if (nullIsUnset) throw this.#unsupported(operatorAt);
    if (operator === '#' || operator === '%') return this.#trimmed(name, operator, start);
    if (operator === '/') return this.#replaced(name, start);
    throw this.#unsupported(operatorAt);
  }

  #unsupported(operatorAt: number): WordError {
    const operator = this.#text.slice(operatorAt, this.#at);
    if (operator === '') return new WordError("missing '}'", this.#text.length);
    return new WordError(`unsupported modifier (${operator}) in substitution`, operatorAt);
  }

  #conditional(name: string, operator: string, nullIsUnset: boolean, start: number): string {
    const word = this.#until('}', false);
    const value = this.#get(name);
    if (value === undefined && this.#options.keepUnset) return this.#text.slice(start, this.#at);
    const set = value !== undefined && !(nullIsUnset && value === '');
    if (operator === '-') return set ? value : word;
    if (operator === '+') return set ? word : '';
    if (set) return value;
    throw new WordError(`${name}: ${word === '' ? 'is not allowed to be unset' : word}`, start);
  }

  #trimmed(name: string, operator: '#' | '%', start: number): string {
    const longest = this.#text[this.#at] === operator;
    if (longest) this.#at++;
    const pattern = compilePattern(this.#raw('}'), start);
    const value = this.#get(name);
    if (value === undefined) return this.#options.keepUnset ? this.#text.slice(start, this.#at) : '';
    return operator === '#' ? removePrefix(value, pattern, longest) : removeSuffix(value, pattern, longest);
  }

  #replaced(name: string, start: number): string {
    const all = this.#text[this.#at] === '/';
    if (all) this.#at++;
    const pattern = compilePattern(this.#raw('/'), start);
    const replacement = this.#raw('}');
    const value = this.#get(name);
    if (value === undefined) return this.#options.keepUnset ? this.#text.slice(start, this.#at) : '';
    return replaceMatches(value, pattern, replacement, all);
  }

  /** Reads up to `stop` with escapes kept: the pattern compiler gives them their meaning. */
  #raw(stop: string): string {
    const before = this.#rawEscapes;
    this.#rawEscapes = true;
    const word = this.#until(stop, false);
    this.#rawEscapes = before;
    return word;
  }

  #plain(name: string, start: number): string {
    const value = this.#get(name);
    return value ?? (this.#options.keepUnset ? this.#text.slice(start, this.#at) : '');
  }

  #get(name: string): string | undefined {
    const value = this.#options.lookup(name);
    (value === undefined ? this.#missing : this.#used).add(name);
    return value;
  }

  #next(): string {
    if (this.#at >= this.#text.length) return '';
    const char = this.#char();
    this.#at += char.length;
    return char;
  }

  /** A run of digits, one special parameter, or letters, digits and `_`; empty when none is there. */
  #name(): string {
    const start = this.#at;
    const first = this.#text[start];
    if (first === undefined) return '';
    if (/\p{Nd}/u.test(first)) {
      while (this.#at < this.#text.length && /\p{Nd}/u.test(this.#text[this.#at]!)) this.#at++;
    } else if (SPECIAL_PARAMETERS.includes(first)) {
      this.#at++;
    } else {
      while (this.#at < this.#text.length) {
        const char = this.#char();
        if (!LETTER_OR_DIGIT.test(char)) break;
        this.#at += char.length;
      }
    }
    return this.#text.slice(start, this.#at);
  }
}
