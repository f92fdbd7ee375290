import type { CopyOp, ExecOp, NodeId, StepOp } from '../plan/graph.ts';
import type { WritableRoot } from '../ports.ts';
import type { KeyInputs } from '../solve/key.ts';
import { copiedContent, runCopy } from './copy.ts';
import { type ExecJob, runExec } from './exec.ts';
import { runMkdir } from './mkdir.ts';
import { mountedContent } from './mounts.ts';
import type { StepEnv } from './step-env.ts';

/** True when a step reads the build context, whose content must be looked at before anything is known of the step. */
export function readsContext(op: StepOp): boolean {
  if (op.kind === 'copy') return op.from.kind === 'context' && op.sources.length > 0;
  return op.kind === 'exec' && op.mounts.some((mount) => mount.type === 'bind' && mount.from.kind === 'context');
}

/** Nodes whose files a step reads besides its parent's, and whose content says what it makes. */
export function sourceNodes(op: StepOp): readonly NodeId[] {
  const trees =
    op.kind === 'copy'
      ? [op.from]
      : op.kind === 'exec'
        ? op.mounts.flatMap((mount) => (mount.type === 'bind' ? [mount.from] : []))
        : [];
  return trees.flatMap((tree) => (tree.kind === 'node' ? [tree.node] : []));
}

/** Nodes that were fetched for a step: their identity says what they hold. */
export function fetchedNodes(op: StepOp): readonly NodeId[] {
  return op.kind === 'copy' ? op.remotes.map(({ node }) => node) : [];
}

/** Key inputs of the files that a step reads from elsewhere. */
export function contentInputs(env: StepEnv, op: StepOp, signal: AbortSignal): Promise<KeyInputs> {
  return op.kind === 'copy' ? copiedContent(env, op, signal) : mountedContent(env, op as ExecOp, signal);
}

/** Does what a step says, on its writable root. */
export function runStep(env: StepEnv, op: StepOp, root: WritableRoot, job: ExecJob): Promise<void> {
  switch (op.kind) {
    case 'exec':
      return runExec(env, op, root, job);
    case 'copy':
      return runCopy(env, op as CopyOp, root, job.signal);
    case 'mkdir':
      return runMkdir(env, op, root);
  }
}
