import { type Diagnostic, nearest, SourceText } from '../diagnostics/index.ts';
import { instructionNamed, instructionNames } from './instruction-table.ts';
import type { ArgInstruction, Directive, Dockerfile, FromInstruction, Instruction, Stage } from './ir.ts';
import { readDirectives } from './lex/directives.ts';
import { LineReader, overlongLines } from './lex/line-reader.ts';
import { checkDirectives } from './lint/directive.ts';
import { lowerInstruction } from './lower/lower.ts';
import { readInstructions } from './read-instructions.ts';
import { createReport, type Report } from './report.ts';
import type { EscapeToken } from './words/shell-lex.ts';

export interface ParseOptions {
  /** Name of the file in spans and messages; `Dockerfile` when not given. */
  readonly file?: string;
}

export interface ParsedDockerfile {
  /** Best effort when there are errors: instructions with errors are left out. */
  readonly value: Dockerfile;
  /** All findings of the file, in order of place. */
  readonly diagnostics: readonly Diagnostic[];
  /** For code frames. */
  readonly source: SourceText;
}

/**
 * Parses a Dockerfile. Never throws on input; every error of the file is reported, because reading goes on at the
 * next instruction. Pure; time is linear in the text.
 * @see grammar/dockerfile
 */
export function parseDockerfile(text: string, options: ParseOptions = {}): ParsedDockerfile {
  const source = new SourceText(options.file ?? 'Dockerfile', text);
  const diagnostics: Diagnostic[] = [];
  const report = createReport(diagnostics);
  for (const span of overlongLines(source)) report('dockerfile/line-too-long', span);
  const reader = new LineReader(source);
  const { directives, duplicates } = readDirectives(reader);
  for (const { name, span } of duplicates) report('dockerfile/duplicate-directive', span, { name });
  reader.escape = escapeOf(directives, report);
  checkSyntax(directives, report);
  checkDirectives(directives, report);
  const stages = new StageBuilder(report);
  let previousLine: number | undefined;
  let count = 0;
  for (const node of readInstructions(reader, report)) {
    count++;
    const instruction = lowerInstruction(node, { report, escape: reader.escape, previousLine });
    if (instruction) stages.add(instruction);
    else if (node.name === 'FROM' || isMisspelt(node.keyword.text)) stages.addBroken();
    const goesOn = node.name !== undefined && node.name !== 'FROM';
    previousLine = goesOn ? node.keyword.span.start.line : undefined;
  }
  if (count === 0) report('dockerfile/no-instructions', source.span(0, 0));
  else stages.finish(source);
  diagnostics.sort((a, b) => a.span.start.offset - b.span.start.offset);
  return { value: { escape: reader.escape, directives, ...stages.result }, diagnostics, source };
}

/** `FORM alpine`: one message is enough. */
function isMisspelt(keyword: string): boolean {
  return instructionNamed(keyword) === undefined && nearest(keyword, instructionNames) === 'FROM';
}

function escapeOf(directives: readonly Directive[], report: Report): EscapeToken {
  const directive = directives.find(({ name }) => name === 'escape');
  if (!directive || directive.value === '\\') return '\\';
  if (directive.value === '`') return '`';
  report('dockerfile/invalid-escape', directive.span, { value: directive.value });
  return '\\';
}

function checkSyntax(directives: readonly Directive[], report: Report): void {
  const syntax = directives.find(({ name }) => name === 'syntax');
  if (!syntax || isBuiltInFrontEnd(syntax.value)) return;
  report('dockerfile/unsupported-syntax', syntax.span, { value: syntax.value.split(/\s/, 1)[0]! });
}

/** The docker/dockerfile front end, in any version or channel, is the one that is built in. */
export function isBuiltInFrontEnd(syntax: string): boolean {
  return /^(docker\.io\/)?docker\/dockerfile(-upstream)?([:@]\S*)?(\s|$)/.test(syntax);
}

interface OpenStage {
  readonly from: FromInstruction;
  readonly instructions: Instruction[];
}

/** Groups instructions by FROM. */
class StageBuilder {
  readonly #report: Report;
  readonly #globalArgs: ArgInstruction[] = [];
  readonly #stages: OpenStage[] = [];
  #sawFrom = false;
  #early: Instruction | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  add(instruction: Instruction): void {
    if (instruction.kind === 'from') {
      this.#sawFrom = true;
      this.#stages.push({ from: instruction, instructions: [] });
    } else if (this.#sawFrom) {
      this.#stages.at(-1)?.instructions.push(instruction);
    } else if (instruction.kind === 'arg') {
      this.#globalArgs.push(instruction);
    } else if (!this.#early) {
      this.#early = instruction;
      this.#report('dockerfile/before-from', instruction.keyword.span, { instruction: instruction.keyword.text });
    }
  }

  /** A FROM that could not be read still starts a stage: what follows is not "before FROM". */
  addBroken(): void {
    this.#sawFrom = true;
  }

  finish(source: SourceText): void {
    if (!this.#sawFrom && !this.#early) {
      this.#report('dockerfile/no-stage', source.span(source.text.length, source.text.length));
    }
  }

  get result(): Pick<Dockerfile, 'globalArgs' | 'stages'> {
    const stages = this.#stages.map(
      ({ from, instructions }, index): Stage => ({
        index,
        ...(from.alias ? { name: from.alias.name } : {}),
        from,
        instructions,
      }),
    );
    return { globalArgs: this.#globalArgs, stages };
  }
}
