import type { InstructionNode } from '../instruction-node.ts';
import { instructions } from '../instruction-table.ts';
import type { Instruction } from '../ir.ts';
import { common, type LowerContext, reportMissing } from './context.ts';

/** The trigger is lowered by `lowerTrigger`, which is handed in to keep the imports in one direction. */
export function lowerOnbuild(
  node: InstructionNode,
  context: LowerContext,
  lowerTrigger: (trigger: InstructionNode) => Instruction | null,
): Instruction | null {
  const { trigger, logical } = node;
  if (!trigger) return reportMissing(node, context);
  if (trigger.name && !instructions[trigger.name].allowedInOnbuild) {
    context.report('dockerfile/onbuild-not-allowed', trigger.keyword.span, { instruction: trigger.name });
    return null;
  }
  const instruction = lowerTrigger(trigger);
  if (!instruction) return null;
  const text = logical.word(trigger.offset, logical.text.trimEnd().length);
  return { ...common(node), kind: 'onbuild', instruction, text };
}
