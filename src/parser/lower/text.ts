import type { InstructionNode } from '../instruction-node.ts';
import type { Word } from '../ir.ts';
import { plain } from './command.ts';
import { common, type Lower, type LowerContext, reportMissing } from './context.ts';

/** Instructions whose whole text is one argument. */
function onlyArgument(node: InstructionNode, context: LowerContext): Word | null {
  const [text] = node.args;
  return text ? plain(text) : reportMissing(node, context);
}

export const lowerWorkdir: Lower = (node, context) => {
  const path = onlyArgument(node, context);
  return path && { ...common(node), kind: 'workdir', path };
};

export const lowerUser: Lower = (node, context) => {
  const user = onlyArgument(node, context);
  return user && { ...common(node), kind: 'user', user };
};

export const lowerStopsignal: Lower = (node, context) => {
  const signal = onlyArgument(node, context);
  return signal && { ...common(node), kind: 'stopsignal', signal };
};

export const lowerMaintainer: Lower = (node, context) => {
  const name = onlyArgument(node, context);
  return name && { ...common(node), kind: 'maintainer', name };
};
