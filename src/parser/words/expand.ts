import { type EscapeToken, type LexOptions, type LexResult, lexShellWord } from './shell-lex.ts';
import { WordError } from './word-error.ts';

export interface ExpandOptions {
  /** The file's escape character (`# escape=`). */
  readonly escape: EscapeToken;
  /** The value of a variable, or undefined when it is not set. */
  readonly lookup: (name: string) => string | undefined;
}

export interface ExpandError {
  readonly message: string;
  /** Where in the text, in UTF-16 units. */
  readonly offset: number;
}

interface Lookups {
  readonly errors: readonly ExpandError[];
  /** Variables that were read and had a value. */
  readonly used: ReadonlySet<string>;
  /** Variables that were read and had none. */
  readonly missing: ReadonlySet<string>;
}

/** An expansion to one string. With an error the value is empty. */
export interface Expansion extends Lookups {
  readonly value: string;
}

/** An expansion to several words. With an error there are none. */
export interface WordsExpansion extends Lookups {
  readonly words: readonly string[];
}

/**
 * Removes quotes and expands variables (`$v`, `${v}`, `:- - :+ + :? ? # ## % %% / //`) to one string. Pure.
 * @see Dockerfile reference, "Environment replacement"
 */
export function expandWord(text: string, options: ExpandOptions): Expansion {
  const { result, errors } = attempt(text, options);
  return { value: result.value, errors, used: result.used, missing: result.missing };
}

/** Like {@link expandWord}, then splits at white space that is not quoted, also inside expanded values (EXPOSE). */
export function expandWords(text: string, options: ExpandOptions): WordsExpansion {
  const { result, errors } = attempt(text, options);
  return { words: result.words, errors, used: result.used, missing: result.missing };
}

/** Expands the body of an unquoted heredoc (COPY, ADD): variables and escapes, but quotes are ordinary text. */
export function expandHeredoc(text: string, options: ExpandOptions): Expansion {
  const { result, errors } = attempt(text, { ...options, literalQuotes: true });
  return { value: result.value, errors, used: result.used, missing: result.missing };
}

/** Expands set variables and leaves all else, quotes and unset variables too, as written (progress, history). */
export function expandKnown(text: string, options: ExpandOptions): Expansion {
  const { result, errors } = attempt(text, { ...options, keepQuotes: true, keepUnset: true });
  return { value: result.value, errors, used: result.used, missing: result.missing };
}

const nothing: LexResult = { value: '', words: [], used: new Set(), missing: new Set() };

function attempt(text: string, options: LexOptions): { result: LexResult; errors: ExpandError[] } {
  try {
    return { result: lexShellWord(text, options), errors: [] };
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    return { result: nothing, errors: [{ message: error.message, offset: error.offset }] };
  }
}
