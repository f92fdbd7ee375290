import { mkdir } from 'node:fs/promises';
import { BerthError, toBerthError } from '../../errors/index.ts';
import { parseRfc3339 } from '../../units/index.ts';
import type { ContainerSpec, ExitStatus, RunningProcess } from '../ports.ts';
import { openCaches } from './cache-mounts.ts';
import {
  allSettled,
  announce,
  type Container,
  type ContainersContext,
  save,
  timestamp,
  unknownExit,
  volumesOf,
} from './container.ts';
import { joinedNamespaces } from './joined-namespaces.ts';
import { overrideEnv } from './merge-config.ts';
import { type JoinedNetworks, joinNetworks } from './networking.ts';
import { cleanUp, discard } from './removal.ts';

/** How long output may still come after the exit: another process may hold the pipe. */
const OUTPUT_GRACE_MS = 2000;

/** @throws BerthError `not-modified` when it runs already, `conflict` in other states, and why it could not start */
export function startContainer(context: ContainersContext, container: Container): Promise<void> {
  return container.lock.run(() => startLocked(context, container));
}

/** The caller holds the container's lock. */
export async function startLocked(context: ContainersContext, container: Container): Promise<void> {
  refuseStart(context, container);
  const { runtime } = context.ports;
  const startedAt = timestamp(context);
  try {
    const { spec, joined } = await prepare(context, container);
    const process = await runtime
      .create(spec, container.record.logPath)
      .catch(commandFailure(spec))
      .finally(() => joined.release());
    container.process = process;
    // Watched and listened to before the command goes, so that neither its first byte nor its exit can be missed.
    const exited = watchExit(context, container, process);
    const drained = container.hub.drain(await runtime.attach(container.id, process), true);
    await runtime.start(container.id, process).catch(commandFailure(spec));
    container.change({ type: 'started', process, at: startedAt }, true);
    await save(context, container);
    announce(context, container, 'start');
    follow(context, container, { process, exited, drained });
  } catch (error) {
    throw await failStart(context, container, error);
  }
}

function refuseStart({ closing }: ContainersContext, { record, removed }: Container): void {
  const { status } = record.state;
  if (closing.aborted) throw new BerthError('unavailable', 'the engine is shutting down');
  if (removed) throw new BerthError('not-found', `No such container: ${record.id}`);
  if (status === 'running') throw new BerthError('not-modified', `container ${record.id} is already running`);
  if (status === 'paused') {
    throw new BerthError('conflict', 'cannot start a paused container, try unpause instead');
  }
  if (status === 'removing' || status === 'dead') {
    throw new BerthError('conflict', 'container is marked for removal and cannot be started');
  }
}

/** Before anything is mounted, the record says that something may be: a crash from here on is cleaned up. */
async function prepare(
  context: ContainersContext,
  container: Container,
): Promise<{ readonly spec: ContainerSpec; readonly joined: JoinedNetworks }> {
  const { snapshots } = context.ports;
  const { launch } = container.record;
  const isolated = launch.isolation ? { isolation: joinedNamespaces(context, launch.isolation) } : {};
  container.record = { ...container.record, residue: true };
  const mounting = snapshots.mount(container.id);
  await allSettled([
    mounting,
    save(context, container),
    ...volumesOf(container).map((name) => context.volumes.mount(container.id, name)),
    // A missing source of -v becomes a folder; what is there already may as well be a file.
    ...launch.binds
      .filter(({ mustExist }) => !mustExist)
      .map(({ source }) => mkdir(source, { recursive: true }).catch(ignoreExisting)),
  ]);
  container.root = await mounting;
  const caches = await openCaches(context, container);
  const joined = await joinNetworks(context, container);
  const env = joined.variables ? overrideEnv(joined.variables, launch.env) : launch.env;
  return {
    spec: {
      ...launch,
      ...isolated,
      ...joined.spec,
      binds: [...launch.binds, ...caches],
      env,
      rootPath: container.root.path,
    },
    joined,
  };
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function watchExit(context: ContainersContext, container: Container, process: RunningProcess): Promise<ExitStatus> {
  return context.ports.runtime.exited(container.id, process).catch(() => unknownExit(context));
}

/** Takes over a process that outlived an earlier engine. */
export async function adopt(context: ContainersContext, container: Container, process: RunningProcess): Promise<void> {
  container.process = process;
  const exited = watchExit(context, container, process);
  const streams = await context.ports.runtime.attach(container.id, process).catch(() => undefined);
  const drained = streams ? container.hub.drain(streams, false) : Promise.resolve();
  follow(context, container, { process, exited, drained });
}

interface Watched {
  readonly process: RunningProcess;
  readonly exited: Promise<ExitStatus>;
  readonly drained: Promise<void>;
}

function follow(context: ContainersContext, container: Container, watched: Watched): void {
  const { process, exited, drained } = watched;
  const settled = exited.then(async (exit) => {
    await withGrace(drained);
    if (!context.closing.aborted) await container.lock.run(() => settleExit(context, container, exit));
  });
  // The container's state says what went wrong; nobody else is there to be told.
  container.run = { process, settled: settled.catch(() => undefined) };
}

async function withGrace(drained: Promise<void>): Promise<void> {
  const grace = Promise.withResolvers<void>();
  const timer = setTimeout(grace.resolve, OUTPUT_GRACE_MS);
  await Promise.race([drained, grace.promise]);
  clearTimeout(timer);
}

/** Records an exit. The caller holds the container's lock. */
export async function settleExit(context: ContainersContext, container: Container, exit: ExitStatus): Promise<void> {
  const removes = container.record.hostConfig.AutoRemove === true && !container.keepOnExit;
  container.run = undefined;
  container.change({ type: 'exited', exit }, true);
  // Written before the runtime forgets the exit status. A container that goes away at once needs no such note: if it is
  // found again after a crash, its process is dead, and it is removed then.
  const written = removes || (await save(context, container).then(yes, no));
  container.closeHub();
  if (exit.oomKilled) announce(context, container, 'oom');
  announce(context, container, 'die', {
    exitCode: String(exit.code),
    execDuration: String(secondsOfRun(container)),
  });
  container.waits.exited(container.waitResult());
  if (removes) return discard(context, container);
  await cleanUp(context, container, { keepExitStatus: !written });
  await save(context, container);
}

const yes = () => true;
const no = () => false;

function secondsOfRun({ record }: Container): number {
  const started = parseRfc3339(record.state.startedAt) ?? 0;
  const finished = parseRfc3339(record.state.finishedAt) ?? started;
  return Math.max(0, Math.floor((finished - started) / 1000));
}

/** Leaves the container as it was, with the reason. @returns the error for the caller */
async function failStart(context: ContainersContext, container: Container, failure: unknown): Promise<BerthError> {
  const { error, code } = failure instanceof CommandFailure ? failure : { error: toBerthError(failure), code: 128 };
  if (container.isActive) {
    container.change({ type: 'exited', exit: { ...unknownExit(context), code }, error: error.message }, true);
  } else container.change({ type: 'start-failed', code, message: error.message }, true);
  container.closeHub();
  if (container.record.hostConfig.AutoRemove) await discard(context, container).catch(() => undefined);
  else {
    await cleanUp(context, container, {}).catch(() => undefined);
    await save(context, container).catch(() => undefined);
  }
  return error;
}

/** A command that could not be run, with the exit code that shells give for it. */
class CommandFailure extends Error {
  readonly error: BerthError;
  readonly code: 126 | 127;

  constructor(error: BerthError, code: 126 | 127) {
    super(error.message);
    this.error = error;
    this.code = code;
  }
}

/** The texts are those by which the docker CLI chooses its exit code. */
function commandFailure({ argv }: ContainerSpec): (error: unknown) => never {
  const command = argv[0] ?? '';
  const prefix = `failed to start the container's command: exec: ${JSON.stringify(command)}: `;
  return (error) => {
    const cause = toBerthError(error);
    if (cause.kind === 'not-found') {
      const why = command.includes('/')
        ? `stat ${command}: no such file or directory`
        : 'executable file not found in $PATH';
      throw new CommandFailure(new BerthError('invalid', prefix + why, { cause }), 127);
    }
    if (cause.kind === 'forbidden') {
      throw new CommandFailure(new BerthError('invalid', `${prefix}permission denied`, { cause }), 126);
    }
    throw cause;
  };
}
