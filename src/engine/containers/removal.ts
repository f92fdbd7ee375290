import { BerthError, toBerthError } from '../../errors/index.ts';
import { closeCaches } from './cache-mounts.ts';
import { allSettled, announce, type Container, type ContainersContext, save, volumesOf } from './container.ts';
import { leaveNetworks } from './networking.ts';
import { thaw } from './pause.ts';
import { SIGKILL, signalProcess } from './signals.ts';

/** How long a removal waits for clients that still read the container's log. */
const READER_GRACE_MS = 2000;

/** @throws BerthError `conflict` when it runs and `force` is not given */
export async function removeContainer(
  context: ContainersContext,
  container: Container,
  options: { readonly force: boolean; readonly volumes: boolean },
): Promise<void> {
  for (let isFirst = true; ; isFirst = false) {
    const run = await container.lock.run(async () => {
      if (container.removed) {
        // Our own kill may have let `--rm` remove it; before that, somebody else did.
        if (isFirst) throw new BerthError('not-found', `No such container: ${container.id}`);
        return undefined;
      }
      if (!container.isActive) {
        await discard(context, container, { volumes: options.volumes });
        return undefined;
      }
      if (!options.force) throw stillActive(container);
      if (container.run) {
        signalProcess(context, container.run, SIGKILL);
        await thaw(context, container, container.run);
      }
      return container.run;
    });
    if (!run) return;
    if (context.closing.aborted) throw new BerthError('unavailable', 'the engine is shutting down');
    // Whoever starts it again in between loses: the next round kills that too.
    await run.settled;
  }
}

function stillActive({ record }: Container): BerthError {
  const { status } = record.state;
  const advice = status === 'paused' ? 'unpause and then stop' : 'stop';
  return new BerthError(
    'conflict',
    `cannot remove container "/${record.name}": container is ${status}: ${advice} the container before removing or force remove`,
  );
}

/** Unmounts the root and makes the runtime forget the container. It may be started again afterwards. */
export async function cleanUp(
  context: ContainersContext,
  container: Container,
  options: { readonly keepExitStatus?: boolean },
): Promise<void> {
  const { ports } = context;
  await allSettled([
    options.keepExitStatus ? undefined : ports.runtime.delete(container.id, container.process),
    ports.snapshots.unmount(container.id),
  ]);
  leaveNetworks(context, container);
  await unmountVolumes(context, container);
  await closeCaches(container);
  container.root = undefined;
  if (!options.keepExitStatus) container.process = undefined;
  container.record = { ...container.record, residue: options.keepExitStatus === true };
}

/** Deletes everything of a container that does not run. The caller holds its lock. */
export async function discard(
  context: ContainersContext,
  container: Container,
  options: { readonly volumes?: boolean } = {},
): Promise<void> {
  const { ports, table } = context;
  const { hostConfig, residue } = container.record;
  container.change({ type: 'removal-started' }, residue);
  // An interrupted `--rm` is taken up again without this note.
  if (!(hostConfig.AutoRemove && residue)) await save(context, container);
  try {
    await allSettled([
      residue ? ports.runtime.delete(container.id, container.process) : undefined,
      ports.snapshots.remove(container.id),
    ]);
    leaveNetworks(context, container);
    await readersDone(container);
    await unmountVolumes(context, container);
    // Before the record goes: until then it says whose they are.
    await releaseVolumes(context, container, {
      removeAnonymous: options.volumes === true || hostConfig.AutoRemove === true,
    });
    await ports.store.remove('container', container.id);
    const { chain, image } = container.record;
    // Its image may have been removed by force: then it was the last to need the layers.
    if (chain !== null && (await ports.images.get(image)) === undefined) await ports.garbage.removeUnneeded([chain]);
  } catch (error) {
    container.change({ type: 'removal-failed', message: toBerthError(error).message }, residue);
    await save(context, container).catch(() => undefined);
    throw error;
  }
  container.removed = true;
  container.closeHub();
  table.delete(container);
  announce(context, container, 'destroy');
  container.waits.removed(container.waitResult());
}

/** After the container's own mounts of them are gone. */
export async function unmountVolumes(context: ContainersContext, container: Container): Promise<void> {
  await allSettled(volumesOf(container).map((name) => context.volumes.unmount(container.id, name)));
}

/** The container needs its volumes no more. */
export async function releaseVolumes(
  context: ContainersContext,
  container: Container,
  { removeAnonymous }: { readonly removeAnonymous: boolean },
): Promise<void> {
  const own = new Set(container.record.anonymousVolumes);
  await allSettled(
    volumesOf(container).map((name) =>
      context.volumes.release(container.id, name, { remove: removeAnonymous && own.has(name) }),
    ),
  );
}

async function readersDone({ logReaders }: Container): Promise<void> {
  if (logReaders.size === 0) return;
  const grace = Promise.withResolvers<void>();
  const timer = setTimeout(grace.resolve, READER_GRACE_MS);
  await Promise.race([Promise.allSettled(logReaders), grace.promise]);
  clearTimeout(timer);
}
