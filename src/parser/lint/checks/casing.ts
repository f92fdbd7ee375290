import type { FromInstruction, Instruction } from '../../ir.ts';
import type { Check } from '../check.ts';
import { replace } from '../finding.ts';
import type { FileSurvey } from '../survey.ts';

/** ConsistentInstructionCasing, FromAsCasing, StageNameCasing. ARGs above the first FROM are left alone. */
export const casingChecks: Check = {
  file(file, report) {
    const lower = prefersLower(file);
    for (const { from, instructions } of file.dockerfile.stages) {
      for (const instruction of [from, ...instructions]) {
        const { keyword } = instruction;
        const replacement = inCase(keyword.text, lower);
        if (keyword.text === replacement) continue;
        const facts = { name: keyword.text, wanted: lower ? 'lower case' : 'capitals', replacement };
        report('ConsistentInstructionCasing', instruction, facts, { fix: replace(keyword, replacement) });
      }
      checkAlias(from, lower, report);
    }
  },
};

function checkAlias(from: FromInstruction, lower: boolean, report: Parameters<NonNullable<Check['stage']>>[2]): void {
  const { keyword, alias } = from;
  if (!alias) return;
  const { as, word, name } = alias;
  // FROM in mixed case is told by the other rule.
  if (isOneCase(keyword.text) && as.text !== inCase(as.text, isLower(keyword.text))) {
    const replacement = inCase(as.text, lower);
    const facts = { name: as.text, instruction: keyword.text, replacement };
    report('FromAsCasing', from, facts, { span: as.span, fix: replace(as, replacement) });
  }
  if (word.text !== name) {
    const facts = { name: word.text, replacement: name };
    report('StageNameCasing', from, facts, { span: word.span, fix: replace(word, name) });
  }
}

/** True when more instructions are in lower case than in capitals; mixed ones do not vote. */
export function prefersLower({ dockerfile }: Pick<FileSurvey, 'dockerfile'>): boolean {
  let lower = 0;
  let upper = 0;
  const vote = ({ keyword: { text } }: Instruction) => {
    if (isLower(text)) lower++;
    else if (isOneCase(text)) upper++;
  };
  for (const { from, instructions } of dockerfile.stages) {
    vote(from);
    instructions.forEach(vote);
  }
  return lower > upper;
}

const isLower = (text: string) => text === text.toLowerCase();
const isOneCase = (text: string) => isLower(text) || text === text.toUpperCase();
const inCase = (text: string, lower: boolean) => (lower ? text.toLowerCase() : text.toUpperCase());
