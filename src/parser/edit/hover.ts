import type { Span } from '../../diagnostics/index.ts';
import { instructionNamed, instructions } from '../instruction-table.ts';
import type { Instruction, Word } from '../ir.ts';
import { partOf } from '../lint/finding.ts';
import type { Scope } from '../lint/scope.ts';
import { openScope, stagesUsedBy, surveyFile } from '../lint/survey.ts';
import { expandedWords } from '../lower/check-words.ts';
import { parseDockerfile } from '../parse-dockerfile.ts';

/** What there is to say about a place, one fact a line. */
export interface Hover {
  readonly span: Span;
  readonly facts: readonly string[];
}

/** Facts about the instruction name, the variable or the stage at a place. Pure. */
export function hoverAt(text: string, offset: number): Hover | undefined {
  const { value } = parseDockerfile(text);
  const file = surveyFile(value, {});
  const inputs = { escape: value.escape, globals: file.globals, buildArgs: {} };
  const ends: Scope[] = [];
  for (const instruction of value.globalArgs) {
    if (covers(instruction.span, offset)) return hoverKeyword(instruction, offset);
  }
  for (const survey of file.stages) {
    const scope = openScope(survey, ends, inputs);
    for (const instruction of [survey.stage.from, ...survey.stage.instructions]) {
      if (covers(instruction.span, offset)) {
        const lookup = (name: string) => (instruction.kind === 'from' ? file.globals.get(name) : scope.lookup(name));
        return (
          hoverKeyword(instruction, offset) ??
          hoverVariable(instruction, offset, lookup) ??
          hoverStage(
            instruction,
            offset,
            (name) => value.stages.find((stage) => stage.name === name.toLowerCase())?.from,
          )
        );
      }
      if (instruction.kind !== 'from') scope.add(instruction);
    }
    ends.push(scope);
  }
  return undefined;
}

function hoverKeyword({ keyword }: Instruction, offset: number): Hover | undefined {
  const name = instructionNamed(keyword.text);
  if (!name || !covers(keyword.span, offset)) return undefined;
  const { form, example, flags } = instructions[name];
  const flagFacts = Object.values(flags).map((flag) => flag.example);
  return {
    span: keyword.span,
    facts: [form, `for example: ${example}`, ...(flagFacts.length > 0 ? [`flags: ${flagFacts.join(' ')}`] : [])],
  };
}

function hoverVariable(
  instruction: Instruction,
  offset: number,
  lookup: (name: string) => string | undefined,
): Hover | undefined {
  const word = expandedWords(instruction).find(({ span }) => covers(span, offset));
  if (!word) return undefined;
  for (const match of word.text.matchAll(/\$\{?(\w+)/g)) {
    const span = partOf(word, match.index, match.index + match[0].length);
    if (!span || !covers(span, offset)) continue;
    const value = lookup(match[1]!);
    return { span, facts: [value === undefined ? `${match[1]} is not defined here` : `${match[1]}=${value}`] };
  }
  return undefined;
}

function hoverStage(
  instruction: Instruction,
  offset: number,
  find: (name: string) => Instruction | undefined,
): Hover | undefined {
  const names = instruction.kind === 'from' ? [instruction.image] : stageWords(instruction);
  const word = names.find(({ span }) => covers(span, offset));
  const from = word && find(word.text);
  if (!word || !from) return undefined;
  return { span: word.span, facts: [`line ${from.span.start.line}: ${from.original}`] };
}

function stageWords(instruction: Instruction): Word[] {
  if (stagesUsedBy(instruction).length === 0) return [];
  if (instruction.kind === 'copy') return instruction.from ? [instruction.from] : [];
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap(({ options }) =>
    options.flatMap(({ key, value }) => (key === 'from' && value ? [value] : [])),
  );
}

const covers = ({ start, end }: Span, offset: number) => start.offset <= offset && offset <= end.offset;
