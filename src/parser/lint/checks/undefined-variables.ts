import type { Heredoc, Instruction, Word } from '../../ir.ts';
import { expandedHeredocs, expandedWords } from '../../lower/check-words.ts';
import { expandHeredoc } from '../../words/expand.ts';
import type { Check, StepContext } from '../check.ts';
import type { ReportFinding } from '../finding.ts';
import { isLikely } from '../rules.ts';
import { suggest, variableInHeredoc, variableSpan } from '../variables.ts';

/** Set by the builder for what runs, never by the file. */
const ALWAYS_THERE = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']);

/** UndefinedVar. EXPOSE is left out: the reference expands its words without looking. */
export const undefinedVariableChecks: Check = {
  step(instruction, context, report) {
    if (instruction.kind === 'expose') return;
    const search = new Search(instruction, context, report);
    if (instruction.kind === 'arg') {
      const { buildArgs = {} } = context.file.options;
      for (const { name, value } of instruction.args) {
        // A default that is not used is not read.
        if (value && !Object.hasOwn(buildArgs, name.text)) search.inWord(value);
        search.known.add(name.text);
      }
      return;
    }
    for (const word of expandedWords(instruction)) search.inWord(word);
    for (const heredoc of expandedHeredocs(instruction)) search.inHeredoc(heredoc);
  },
};

class Search {
  /** Defined by the instruction itself so far. */
  readonly known = new Set<string>();
  readonly #instruction: Instruction;
  readonly #context: StepContext;
  readonly #report: ReportFinding;

  constructor(instruction: Instruction, context: StepContext, report: ReportFinding) {
    this.#instruction = instruction;
    this.#context = context;
    this.#report = report;
  }

  inWord(word: Word): void {
    if (!word.text.includes('$')) return;
    const { missing } = this.#context.scope.expand(word);
    this.#tell(missing, (name) => variableSpan(word, name));
  }

  inHeredoc(heredoc: Heredoc): void {
    const { scope, file } = this.#context;
    const lookup = (name: string) => scope.lookup(name);
    const { missing } = expandHeredoc(heredoc.content, { escape: file.dockerfile.escape, lookup });
    this.#tell(missing, (name) => variableInHeredoc(heredoc, name));
  }

  #tell(names: ReadonlySet<string>, place: (name: string) => Word['span']): void {
    const { scope } = this.#context;
    for (const name of names) {
      if (scope.has(name) || this.known.has(name) || ALWAYS_THERE.has(name)) continue;
      const nearest = suggest(name, scope.names);
      // The image may well define it; what is likely a typo is worth telling all the same.
      if (!scope.complete && isLikely(name, nearest) === undefined) continue;
      this.#report('UndefinedVar', this.#instruction, { name, nearest }, { span: place(name) });
    }
  }
}
