import { SourceText } from '../../diagnostics/index.ts';
import type { Dockerfile } from '../ir.ts';
import { readDirectives } from '../lex/directives.ts';
import { LineReader } from '../lex/line-reader.ts';
import type { Scope } from '../lint/scope.ts';
import { openScope, surveyFile } from '../lint/survey.ts';
import { parseDockerfile } from '../parse-dockerfile.ts';
import type { EscapeToken } from '../words/shell-lex.ts';

/** The unfinished instruction before a place in a text. */
export interface Sentence {
  /** What stands before the place, continuations joined. */
  readonly text: string;
  /** Where the instruction begins in the file. */
  readonly start: number;
  /** What comes before it, parsed. */
  readonly above: Dockerfile;
}

/** Undefined in comments and in heredoc bodies, where there is nothing to say. */
export function sentenceBefore(text: string, offset: number): Sentence | undefined {
  const token = escapeOf(text);
  let start = text.lastIndexOf('\n', offset - 1) + 1;
  const pieces = [text.slice(start, offset)];
  while (start > 0) {
    const before = text.lastIndexOf('\n', start - 2) + 1;
    const line = text.slice(before, start).trimEnd();
    const isComment = line.trimStart().startsWith('#') && pieces.length > 1;
    if (!line.endsWith(token) && !isComment) break;
    if (!isComment) pieces.unshift(line.slice(0, -1));
    start = before;
  }
  if (pieces[0]!.trimStart().startsWith('#')) return undefined;
  const head = text.slice(0, start);
  const parsed = parseDockerfile(head);
  if (parsed.diagnostics.some(({ code }) => code === 'dockerfile/unterminated-heredoc')) return undefined;
  return { text: pieces.join('').trimStart(), start, above: parsed.value };
}

/** What an instruction that comes next can refer to; undefined above the first FROM. */
export function scopeBelow(
  dockerfile: Dockerfile,
  buildArgs: Readonly<Record<string, string>> = {},
): Scope | undefined {
  const file = surveyFile(dockerfile, { buildArgs });
  const inputs = { escape: dockerfile.escape, globals: file.globals, buildArgs };
  const ends: Scope[] = [];
  for (const survey of file.stages) {
    const scope = openScope(survey, ends, inputs);
    for (const instruction of survey.stage.instructions) scope.add(instruction);
    ends.push(scope);
  }
  return ends.at(-1);
}

function escapeOf(text: string): EscapeToken {
  const { directives } = readDirectives(new LineReader(new SourceText('', text)));
  return directives.some(({ name, value }) => name === 'escape' && value === '`') ? '`' : '\\';
}
