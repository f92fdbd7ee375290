import type { Diagnostic } from '../../diagnostics/index.ts';
import { finding } from '../findings.ts';
import { type Entitlement, reachable } from './graph.ts';
import type { BuildPlan } from './options.ts';

const MEANINGS: Readonly<Record<Entitlement, string>> = {
  'network.host': "the machine's own network",
  'security.insecure': 'to run without a sandbox',
};

/** Steps that ask for rights which the caller of the build has not allowed: nothing runs then. Pure. */
export function unallowed({ graph, target }: BuildPlan, allowed: readonly Entitlement[]): Diagnostic[] {
  return reachable(graph, [target.head]).flatMap((id) => {
    const node = graph.nodes.get(id)!;
    const { span } = graph.display.get(id)!;
    if (node.kind !== 'exec' || !span) return [];
    return node.entitlements
      .filter((entitlement) => !allowed.includes(entitlement))
      .map((entitlement) => {
        const message = `this RUN asks for ${MEANINGS[entitlement]}, which was not allowed`;
        return finding(
          'build/not-allowed',
          span,
          message,
          `allow it with --allow ${entitlement}, if you trust the file`,
        );
      });
  });
}
