import { BerthError } from '../../errors/index.ts';
import { announce, type Container, type ContainersContext, type Run, save } from './container.ts';

/** @throws BerthError `conflict` when it does not run, or stands still already */
export function pauseContainer(context: ContainersContext, container: Container): Promise<void> {
  return container.lock.run(async () => {
    const { run, id } = container;
    if (isPaused(container)) throw new BerthError('conflict', `Container ${id} is already paused`);
    if (!run) throw new BerthError('conflict', `container ${id} is not running`);
    await context.ports.runtime.pause(run.process);
    container.change({ type: 'paused' }, true);
    await save(context, container);
    announce(context, container, 'pause');
  });
}

/** @throws BerthError `conflict` when it is not paused */
export function unpauseContainer(context: ContainersContext, container: Container): Promise<void> {
  return container.lock.run(async () => {
    const { run, id } = container;
    if (!run || !isPaused(container)) throw new BerthError('conflict', `Container ${id} is not paused`);
    await thaw(context, container, run);
  });
}

/** Lets a container go on that got a signal it can only see when it runs. The caller holds the container's lock. */
export async function thaw(context: ContainersContext, container: Container, { process }: Run): Promise<void> {
  if (!isPaused(container)) return;
  await context.ports.runtime.resume(process);
  container.change({ type: 'resumed' }, true);
  await save(context, container);
  announce(context, container, 'unpause');
}

/** Does something while the processes of a running container stand still. */
export async function whilePaused<T>(
  context: ContainersContext,
  container: Container,
  action: () => Promise<T>,
): Promise<T> {
  if (!container.run || isPaused(container)) return await action();
  await pauseContainer(context, container);
  try {
    return await action();
  } finally {
    // It may have been killed, or let go on by another client, meanwhile.
    if (isPaused(container)) await unpauseContainer(context, container).catch(() => undefined);
  }
}

function isPaused({ record }: Container): boolean {
  return record.state.status === 'paused';
}
