import type { Instruction } from '../../ir.ts';
import type { Check } from '../check.ts';

/** NoEmptyContinuation: one finding an instruction, whose fix removes all of its blank lines. */
export const continuationChecks: Check = {
  file({ dockerfile }, report) {
    const check = (instruction: Instruction) => {
      const [first] = instruction.emptyLines ?? [];
      if (!first) return;
      const [heredoc] = instruction.heredocs;
      const last = heredoc ? heredoc.span.start.line - 1 : instruction.span.end.line;
      report(
        'NoEmptyContinuation',
        instruction,
        {},
        {
          span: { ...first, end: first.start },
          lines: [[last, last]],
          fix: instruction.emptyLines!.map((span) => ({ span, newText: '' })),
        },
      );
    };
    dockerfile.globalArgs.forEach(check);
    for (const { from, instructions } of dockerfile.stages) [from, ...instructions].forEach(check);
  },
};
