import type { SourceText } from '../../diagnostics/index.ts';
import { assertNever } from '../../errors/index.ts';
import type { Heredoc, Instruction, Word } from '../ir.ts';
import type { Report } from '../report.ts';
import { type ExpandError, expandHeredoc, expandWord } from '../words/expand.ts';
import type { EscapeToken } from '../words/shell-lex.ts';

interface Checks {
  readonly source: SourceText;
  readonly escape: EscapeToken;
  readonly report: Report;
}

/** Reports broken quotes and substitutions in the words that will be expanded, whatever the variables hold. */
export function checkWords(instruction: Instruction, checks: Checks): void {
  const options = { escape: checks.escape, lookup: () => 'set' };
  for (const word of expandedWords(instruction)) {
    if (!/[$"']/.test(word.text)) continue;
    const [error] = expandWord(word.text, options).errors;
    if (error) reportError(word, error, checks);
  }
  for (const heredoc of expandedHeredocs(instruction)) {
    const [error] = expandHeredoc(heredoc.content, options).errors;
    if (error) reportError({ text: heredoc.content, span: heredoc.span }, error, checks);
  }
}

function reportError({ text, span }: Word, error: ExpandError, { source, report }: Checks): void {
  const start = span.start.offset;
  const contiguous = span.end.offset - start === text.length && error.offset < text.length;
  const at = contiguous ? source.span(start + error.offset, span.end.offset) : span;
  const code = error.message.startsWith('missing closing quote')
    ? 'dockerfile/unclosed-quote'
    : 'dockerfile/bad-substitution';
  report(code, at, { value: error.message });
}

/**
 * The words of an instruction in which variables are replaced.
 * @see Dockerfile reference, "Environment replacement"
 */
export function expandedWords(instruction: Instruction): readonly Word[] {
  const some = (...words: (Word | undefined)[]) => words.filter((word) => word !== undefined);
  switch (instruction.kind) {
    case 'from':
      return some(instruction.image, instruction.platform);
    case 'arg':
      return some(...instruction.args.map(({ value }) => value));
    case 'env':
    case 'label':
      return instruction.pairs.flatMap(({ key, value }) => [key, value]);
    case 'workdir':
      return [instruction.path];
    case 'user':
      return [instruction.user];
    case 'stopsignal':
      return [instruction.signal];
    case 'expose':
      return instruction.ports;
    case 'volume':
      return instruction.paths;
    case 'copy':
    case 'add': {
      const checksum = instruction.kind === 'add' ? instruction.checksum : undefined;
      const { sources, dest, chown, chmod } = instruction;
      return some(...sources, dest, chown, chmod, checksum);
    }
    case 'run':
      return instruction.mounts.flatMap(({ options }) => some(...options.map(({ value }) => value ?? undefined)));
    case 'onbuild':
    case 'cmd':
    case 'entrypoint':
    case 'shell':
    case 'healthcheck':
    case 'maintainer':
      return [];
    default:
      return assertNever(instruction);
  }
}

export function expandedHeredocs(instruction: Instruction): readonly Heredoc[] {
  const expands = instruction.kind === 'copy' || instruction.kind === 'add';
  return expands ? instruction.heredocs.filter(({ expand }) => expand) : [];
}
