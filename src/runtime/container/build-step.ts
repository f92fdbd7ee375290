import { BerthError } from '../../errors/index.ts';
import { makingCgroups } from '../cgroup/parents.ts';
import type { RuntimeProgram } from '../crun/invoke.ts';
import { runForeground } from '../crun/run.ts';
import { type ContainerPlan, type MachineFacts, ociConfig } from '../spec/config.ts';
import type { BindRequest } from '../spec/mounts.ts';
import type { NetworkPlan, ProcessNetwork } from '../spec/network-files.ts';
import { bindRequests, isDirectory } from './bind-sources.ts';
import { bundleFolder, makeBundle, type RunPaths, removeBundle, writeConfig, writeNetworkFiles } from './bundle.ts';
import type { SeccompFilters } from './filters.ts';
import { type LentFile, lendFiles } from './lent-files.ts';
import { type MountPoint, makeMountStubs } from './mount-stubs.ts';
import { identityInRoot } from './root-users.ts';

/** A command that a build runs in a container. */
export interface BuildStep {
  readonly id: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly hostname: string;
  readonly network: ProcessNetwork;
  readonly names?: NonNullable<NetworkPlan['names']>;
  readonly mounts: readonly BuildMount[];
  readonly privileged: boolean;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  readonly signal: AbortSignal;
}

export type BuildMount =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readonly: boolean }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  | LentFile;

export interface StepMachinery {
  readonly program: RuntimeProgram;
  readonly paths: RunPaths;
  readonly machine: MachineFacts;
  readonly filters: SeccompFilters;
}

const shmSizeBytes = 64 * 1024 * 1024;
/** What an administrator sees in the list of cgroups. */
const stepIdPrefix = 'build-';

/** Runs a build step on a mounted root. Bundle, cgroup, mounts and mount points are gone when it returns. */
export async function runBuildStep(step: BuildStep, rootPath: string, machinery: StepMachinery): Promise<number> {
  step.signal.throwIfAborted();
  if (step.argv.length === 0) throw new BerthError('invalid', 'no command to run');
  const id = step.id.startsWith(stepIdPrefix) ? step.id : `${stepIdPrefix}${step.id}`;
  const bundle = bundleFolder(machinery.paths, id);
  const files = makeBundle(bundle);
  let removeStubs: (() => void) | undefined;
  try {
    const lent = lendFiles(bundle, lentFiles(step));
    writeNetworkFiles(files, step);
    const plan = stepPlan(step, id, rootPath, lent, { hosts: files.hosts, resolvConf: files.resolvConf });
    const config = ociConfig(plan, machinery.machine);
    writeConfig(bundle, machinery.filters.attach(config));
    removeStubs = makeMountStubs(rootPath, mountPoints(step));
    const run = {
      id,
      bundle,
      argv: step.argv,
      onOutput: step.onOutput,
      signal: step.signal,
    };
    return await makingCgroups(() => runForeground(machinery.program, run));
  } finally {
    removeStubs?.();
    removeBundle(bundle);
  }
}

function lentFiles({ mounts }: BuildStep): readonly LentFile[] {
  return mounts.filter((mount) => mount.type === 'file');
}

function stepPlan(
  step: BuildStep,
  id: string,
  rootPath: string,
  lent: readonly BindRequest[],
  files: ContainerPlan['files'],
): ContainerPlan {
  return {
    id,
    rootPath,
    readonlyRoot: false,
    argv: step.argv,
    env: step.env,
    cwd: step.cwd,
    identity: identityInRoot(rootPath, step.user),
    hostname: step.hostname,
    announceHostname: false,
    tty: false,
    network: step.network,
    privileged: step.privileged,
    capAdd: [],
    capDrop: [],
    binds: bindRequests([
      ...step.mounts.flatMap((mount) => (mount.type === 'bind' ? [{ ...mount, options: [] }] : [])),
      ...lent,
    ]),
    tmpfs: step.mounts.flatMap((mount) =>
      mount.type === 'tmpfs' ? [{ target: mount.target, options: tmpfsOptions(mount) }] : [],
    ),
    shmSizeBytes,
    files,
  };
}

/** A build's tmpfs is like any folder: programs in it may run. @see BuildKit, `--mount=type=tmpfs` */
function tmpfsOptions(mount: { readonly sizeBytes?: number }): string {
  return `exec,suid,dev${mount.sizeBytes === undefined ? '' : `,size=${mount.sizeBytes}`}`;
}

/** Where the root must have something to mount on. What lies in another mount's tree is not the root's concern. */
function mountPoints(step: BuildStep): readonly MountPoint[] {
  const kernel = ['/proc', '/dev', '/sys'].map((target) => ({ target, isDirectory: true }));
  const files = ['/etc/hosts', '/etc/resolv.conf'].map((target) => ({ target, isDirectory: false }));
  const mounts = step.mounts.map((mount) => ({
    target: mount.target,
    isDirectory: mount.type === 'tmpfs' || (mount.type === 'bind' && isDirectory(mount.source)),
  }));
  const points = [...kernel, ...files, ...mounts];
  const isBelow = (inner: string, outer: string) => inner.startsWith(`${outer}/`);
  return points.filter((point) => !points.some((other) => isBelow(point.target, other.target)));
}
