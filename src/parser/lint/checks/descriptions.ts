import type { ArgInstruction, FromInstruction } from '../../ir.ts';
import type { Check } from '../check.ts';
import type { ReportFinding } from '../finding.ts';

/** InvalidDefinitionDescription (experimental). */
export const descriptionChecks: Check = {
  file({ dockerfile }, report) {
    for (const arg of dockerfile.globalArgs) checkArg(arg, report);
    for (const { from } of dockerfile.stages) if (from.alias) check(from, 'FROM', [from.alias.name], report);
  },
  instruction(instruction, report) {
    if (instruction.kind === 'arg') checkArg(instruction, report);
  },
};

function checkArg(arg: ArgInstruction, report: ReportFinding): void {
  check(
    arg,
    'ARG',
    arg.args.map(({ name }) => name.text),
    report,
  );
}

function check(
  about: ArgInstruction | FromInstruction,
  instruction: string,
  names: readonly string[],
  report: ReportFinding,
): void {
  const said = about.comments.at(-1)?.split(' ', 1)[0];
  if (said === undefined || names.includes(said)) return;
  const name = names.length > 1 ? '<arg_key>' : names[0]!;
  report('InvalidDefinitionDescription', about, { instruction, name });
}
