import type { Diagnostic, Span } from '../../diagnostics/index.ts';
import { chompTabs, expandHeredoc, expandKnown, expandWord, expandWords } from '../../parser/index.ts';
import type { Heredoc, Word } from '../../parser/ir.ts';
import { finding } from '../findings.ts';

export type Lookup = (name: string) => string | undefined;

/** Expands words in the scope of one instruction, and reports what cannot be expanded. */
export class Words {
  readonly #escape: '\\' | '`';
  readonly #lookup: Lookup;
  readonly #report: (diagnostic: Diagnostic) => void;

  constructor(escapeToken: '\\' | '`', lookup: Lookup, report: (diagnostic: Diagnostic) => void) {
    this.#escape = escapeToken;
    this.#lookup = lookup;
    this.#report = report;
  }

  one(word: Word): string {
    const { value, errors } = expandWord(word.text, this.#context());
    this.#complain(errors, word.span);
    return value;
  }

  /** Splits into words after expansion, as EXPOSE does. */
  many(word: Word): readonly string[] {
    const { words, errors } = expandWords(word.text, this.#context());
    this.#complain(errors, word.span);
    return words;
  }

  /** For people: what has a value is replaced, all else stays as written. */
  shown(text: string): string {
    const { value, errors } = expandKnown(text, this.#context());
    return errors.length > 0 ? text : value;
  }

  body(heredoc: Heredoc): string {
    const content = heredoc.chomp ? chompTabs(heredoc.content) : heredoc.content;
    if (!heredoc.expand) return content;
    const { value, errors } = expandHeredoc(content, this.#context());
    this.#complain(errors, heredoc.span);
    return value;
  }

  #context() {
    return { escape: this.#escape, lookup: this.#lookup };
  }

  #complain(errors: readonly { readonly message: string }[], span: Span): void {
    for (const error of errors) this.#report(finding('build/bad-word', span, error.message));
  }
}
