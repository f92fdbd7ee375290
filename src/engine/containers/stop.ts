import { BerthError } from '../../errors/index.ts';
import { announce, type Container, type ContainersContext, type Run } from './container.ts';
import { thaw } from './pause.ts';
import { SIGKILL, signalNumber, signalProcess } from './signals.ts';
import { startLocked } from './start.ts';

const DEFAULT_TIMEOUT_SECONDS = 10;
/** After SIGKILL only a process that hangs in the kernel is still there. */
const KILL_GRACE_MS = 10_000;

export interface StopOptions {
  readonly timeoutSeconds?: number;
  readonly signal?: string;
}

/** @throws BerthError `not-modified` when it does not run */
export async function stopContainer(
  context: ContainersContext,
  container: Container,
  options: StopOptions,
): Promise<void> {
  const signal = stopSignal(container, options);
  const run = await sendTo(context, container, signal);
  if (!run) throw new BerthError('not-modified', `container ${container.id} is already stopped`);
  await endOf(context, container, { run, timeoutSeconds: timeoutOf(container, options) });
  announce(context, container, 'stop');
}

/** Stops it when it runs, and starts it. */
export async function restartContainer(
  context: ContainersContext,
  container: Container,
  options: StopOptions,
): Promise<void> {
  const signal = stopSignal(container, options);
  container.keepOnExit = true;
  try {
    const run = await sendTo(context, container, signal);
    if (run) await endOf(context, container, { run, timeoutSeconds: timeoutOf(container, options) });
    await container.lock.run(async () => {
      // Another client may have been quicker; it runs, which is what was asked for.
      if (!container.isActive) await startLocked(context, container);
    });
  } finally {
    container.keepOnExit = false;
  }
  announce(context, container, 'restart');
}

/** @throws BerthError `conflict` when it does not run */
export async function killContainer(context: ContainersContext, container: Container, signal: string): Promise<void> {
  const number = signalNumber(signal || 'SIGKILL');
  const run = await sendTo(context, container, number);
  if (!run) {
    throw new BerthError('conflict', `cannot kill container: ${container.id}: container is not running`);
  }
  if (number === SIGKILL) await within(run.settled, KILL_GRACE_MS);
}

/** Waits for a start or removal that is under way, then signals. @returns the run that got it */
function sendTo(context: ContainersContext, container: Container, signal: number): Promise<Run | undefined> {
  return container.lock.run(async () => {
    const { run } = container;
    if (!run) return undefined;
    if (signalProcess(context, run, signal)) announce(context, container, 'kill', { signal: String(signal) });
    if (endsContainer(container, signal)) await thaw(context, container, run);
    return run;
  });
}

/** A paused container goes on for a signal that is to end it: it could not see it otherwise. */
function endsContainer({ record }: Container, signal: number): boolean {
  const own = record.config.StopSignal;
  return !own || signal === SIGKILL || signal === signalNumber(own);
}

interface Ending {
  readonly run: Run;
  readonly timeoutSeconds: number;
}

async function endOf(context: ContainersContext, container: Container, { run, timeoutSeconds }: Ending): Promise<void> {
  if (timeoutSeconds < 0) return run.settled;
  if (await within(run.settled, timeoutSeconds * 1000)) return;
  if (signalProcess(context, run, SIGKILL)) announce(context, container, 'kill', { signal: String(SIGKILL) });
  if (await within(run.settled, KILL_GRACE_MS)) return;
  throw new BerthError('internal', `container ${container.id} did not end ${KILL_GRACE_MS / 1000} s after SIGKILL`);
}

async function within(settled: Promise<void>, limitMs: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), limitMs);
  const ended = await Promise.race([settled.then(() => true), late.promise]);
  clearTimeout(timer);
  return ended;
}

function stopSignal({ record }: Container, { signal }: StopOptions): number {
  return signalNumber(signal || record.config.StopSignal || 'SIGTERM');
}

function timeoutOf({ record }: Container, { timeoutSeconds }: StopOptions): number {
  return timeoutSeconds ?? record.config.StopTimeout ?? DEFAULT_TIMEOUT_SECONDS;
}
