import { capabilitySets, resolveCapabilities } from './capabilities.ts';
import { completeEnvironment } from './environment.ts';
import type { OciConfig, OciProcess } from './oci-config.ts';
import type { Identity } from './user.ts';

export interface ExecPlan {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly identity: Identity;
  readonly tty: boolean;
  readonly privileged: boolean;
}

/**
 * The OCI process of an exec. It is bound as the container's own is, and has its capabilities, or all of them with
 * `--privileged`.
 */
export function execProcess(plan: ExecPlan, container: OciConfig, available: ReadonlySet<string>): OciProcess {
  const { identity } = plan;
  const { capabilities, rlimits, oomScoreAdj, noNewPrivileges, apparmorProfile } = container.process;
  return {
    terminal: plan.tty,
    user: { uid: identity.uid, gid: identity.gid, additionalGids: [...new Set([identity.gid, ...identity.groups])] },
    args: plan.argv,
    env: completeEnvironment(plan.env, { home: identity.home, tty: plan.tty }),
    cwd: plan.cwd === '' ? '/' : plan.cwd,
    capabilities: plan.privileged
      ? capabilitySets(resolveCapabilities({ add: [], drop: [], privileged: true, available }))
      : capabilities,
    ...(rlimits ? { rlimits } : {}),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...(noNewPrivileges ? { noNewPrivileges } : {}),
    ...(apparmorProfile && !plan.privileged ? { apparmorProfile } : {}),
  };
}
