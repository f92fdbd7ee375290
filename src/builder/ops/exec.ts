import { BerthError } from '../../errors/index.ts';
import type { ExecOp } from '../plan/graph.ts';
import type { WritableRoot } from '../ports.ts';
import { openMounts } from './mounts.ts';
import type { StepEnv } from './step-env.ts';

/** As BuildKit calls it; some builds look at it. */
const HOSTNAME = 'buildkitsandbox';

const HINTS: ReadonlyMap<number, string> = new Map([
  [126, 'a file that should run is not executable, or is for another platform'],
  [127, 'a command was not found: is it installed in the image, and on its PATH?'],
  [137, 'the command was killed, maybe for want of memory'],
]);

const DISK_FULL =
  "there is no space left on the disk that holds Berth's data: free some, or set BERTH_ROOT to a larger one";

/** A command of RUN that ended badly. */
export class CommandFailure extends BerthError {
  readonly exitCode: number;

  constructor(exitCode: number, isDiskFull: boolean) {
    const hint = isDiskFull ? DISK_FULL : HINTS.get(exitCode);
    super('invalid', `exit code ${exitCode}`, hint === undefined ? {} : { hint });
    this.exitCode = exitCode;
  }
}

export interface ExecJob {
  readonly signal: AbortSignal;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
}

/** Runs the command of a RUN on a writable root. @throws CommandFailure */
export async function runExec(
  env: StepEnv,
  op: ExecOp,
  root: WritableRoot,
  { signal, onOutput }: ExecJob,
): Promise<void> {
  if (op.argv.length === 0) throw new BerthError('invalid', 'RUN has no command');
  refuseDevices(op);
  const opened = await openMounts(env, op.mounts, signal);
  try {
    const code = await env.ports.runner.run(
      {
        id: root.id,
        argv: op.argv,
        env: environmentOf(env, op, opened.env),
        cwd: op.cwd,
        user: op.user,
        hostname: HOSTNAME,
        network: op.network,
        mounts: opened.mounts,
        privileged: op.entitlements.includes('security.insecure'),
        onOutput,
        signal,
      },
      root,
    );
    signal.throwIfAborted();
    if (code !== 0) throw new CommandFailure(code, env.ports.snapshots.freeBytes() === 0);
  } finally {
    await opened.release();
  }
}

/** The Dockerfile's own variables win over the proxies of the machine, and lent ones over both. */
function environmentOf({ proxyEnvironment }: StepEnv, op: ExecOp, lent: readonly string[]): string[] {
  const own = op.env.filter((entry) => !isSet(lent, entry));
  return [...proxyEnvironment.filter((entry) => !isSet([...own, ...lent], entry)), ...own, ...lent];
}

function refuseDevices({ devices }: ExecOp): void {
  if (devices.length === 0) return;
  throw new BerthError('unsupported', `RUN --device=${devices[0]} is not supported yet`, {
    hint: 'a step gets no devices of the machine; run what needs one with berth run --device',
  });
}

function isSet(env: readonly string[], entry: string): boolean {
  const name = entry.slice(0, entry.indexOf('=') + 1);
  return env.some((other) => other.startsWith(name));
}
