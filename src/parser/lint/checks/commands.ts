import type { TextEdit } from '../../../diagnostics/index.ts';
import type { Command, Instruction } from '../../ir.ts';
import type { Check, StepContext } from '../check.ts';
import { type ReportFinding, replace } from '../finding.ts';

/** JSONArgsRecommended. Silent below a SHELL: then the shell is meant. */
export const commandChecks: Check = {
  step(instruction, context, report) {
    if (instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint') return;
    const { command, keyword } = instruction;
    if (command.form === 'exec' || context.scope.shell) return;
    const replacement = asArray(command);
    const facts = { instruction: keyword.text, replacement };
    report('JSONArgsRecommended', instruction, facts, {
      span: command.text.text === '' ? keyword.span : command.text.span,
      fix: replacement && isAlone(context) ? fixOf(command, replacement) : undefined,
    });
  },
};

/** MultipleInstructionsDisallowed, told at the one that has no effect. */
export const repeatedCommandChecks: Check = {
  stage({ stage: { instructions }, built }, _, report) {
    if (!built) return;
    const last = new Map<Instruction['kind'], Instruction>();
    for (const instruction of instructions) {
      const { kind, keyword } = instruction;
      if (kind !== 'cmd' && kind !== 'entrypoint' && kind !== 'healthcheck') continue;
      tell(last.get(kind), keyword.text, keyword.span.start.line, report);
      last.set(kind, instruction);
    }
  },
};

function tell(earlier: Instruction | undefined, instruction: string, line: number, report: ReportFinding): void {
  if (earlier) report('MultipleInstructionsDisallowed', earlier, { instruction, value: String(line) });
}

/** Words that mean something to a shell only. */
const SHELL_WORDS = new Set(
  'alias break case cd command continue do done elif else esac eval exit export fi for function if in local read return select set shift source then time trap type ulimit umask unset until wait while . : [[ { }'.split(
    ' ',
  ),
);

/** The same command as a JSON array; undefined when it needs a shell, or may need one. */
function asArray(command: Command & { readonly form: 'shell' }): string | undefined {
  const { text } = command.text;
  if (!/^[\w@%+:,./=-]+(?: +[\w@%+:,./=-]+)*$/.test(text)) return undefined;
  const words = text.split(/ +/);
  if (words[0] === 'exec') words.shift();
  const [program] = words;
  if (program === undefined || program.includes('=') || program.startsWith('-') || SHELL_WORDS.has(program))
    return undefined;
  return `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
}

/**
 * ENTRYPOINT and CMD work on each other: what the form of one is changes what the other means. The fix is left to
 * the author where the stage with what it is based on has both.
 */
function isAlone({ stage: { sets } }: StepContext): boolean {
  return !(sets.cmd && sets.entrypoint);
}

function fixOf(command: Command & { readonly form: 'shell' }, replacement: string): TextEdit[] | undefined {
  return replace(command.text, replacement);
}
