import { toBerthError } from '../../errors/index.ts';
import { adoptNetworks } from './adopt-networks.ts';
import { openCaches } from './cache-mounts.ts';
import { allSettled, Container, type ContainersContext, save, unknownExit, volumesOf } from './container.ts';
import type { ContainerRecord } from './record.ts';
import { cleanUp, discard } from './removal.ts';
import { adopt, settleExit } from './start.ts';
import { processOf } from './state.ts';

/** Reads what an earlier engine recorded. Nothing is changed yet. */
export async function loadContainers(context: ContainersContext): Promise<void> {
  const { store } = context.ports;
  const records = await Promise.all((await store.list('container')).map((id) => readRecord(context, id)));
  const inOrder = records.filter((record) => record !== undefined).sort((a, b) => a.createdAt - b.createdAt);
  for (const record of inOrder) {
    const container = new Container(record);
    container.process = processOf(record.state);
    context.table.add(container);
    for (const name of volumesOf(container)) await context.volumes.adopt(container.id, name);
    try {
      context.table.reserve(record.name, record.id);
    } catch (error) {
      // It can still be found by its id.
      report(context, record.id, error);
    }
  }
}

/** Takes over what was loaded: running containers are watched again, ended ones recorded, the rest cleaned up. */
export async function recoverContainers(context: ContainersContext): Promise<void> {
  const { snapshots, store } = context.ports;
  const [ids, layers] = await Promise.all([store.list('container'), snapshots.ids()]);
  const roots = new Set(layers);
  const recorded = new Set(ids);
  await allSettled([
    // A root without any record was made for a container that never came to be. One whose record cannot be read stays.
    ...layers.filter((id) => !recorded.has(id)).map((id) => snapshots.remove(id)),
    ...[...context.table.values()].map((container) =>
      container.lock
        .run(() => (roots.has(container.id) ? recover(context, container) : discard(context, container)))
        .catch((error) => report(context, container.id, error)),
    ),
  ]);
}

/** A damaged record must not keep the others from being served; its files stay for who can repair them. */
async function readRecord(context: ContainersContext, id: string): Promise<ContainerRecord | undefined> {
  try {
    return await context.ports.store.read<ContainerRecord>('container', id);
  } catch (error) {
    report(context, id, error);
    return undefined;
  }
}

function report({ publish }: ContainersContext, id: string, error: unknown): void {
  publish('daemon', 'recovery-failed', id, { error: toBerthError(error).message });
}

async function recover(context: ContainersContext, container: Container): Promise<void> {
  const { runtime } = context.ports;
  const { state, hostConfig, residue } = container.record;
  const process = processOf(state);
  if (process && runtime.isAlive(process)) {
    await readopt(context, container);
    return;
  }
  if (process) {
    const exit = await runtime.exited(container.id, process).catch(() => unknownExit(context));
    await settleExit(context, container, exit);
    return;
  }
  if (state.status === 'removing' || (residue && hostConfig.AutoRemove)) await discard(context, container);
  else if (residue) {
    // A start that nobody was told of, or an end that was not cleaned up after.
    await cleanUp(context, container, {});
    await save(context, container);
  } else {
    // A start mounts the root while the record is being told that it does.
    await context.ports.snapshots.unmount(container.id);
  }
}

async function readopt(context: ContainersContext, container: Container): Promise<void> {
  const process = processOf(container.record.state);
  if (!process) return;
  // The mount outlived the engine; this tells the new one of it.
  container.root = await context.ports.snapshots.mount(container.id);
  for (const name of volumesOf(container)) await context.volumes.mount(container.id, name);
  await openCaches(context, container);
  // Somebody may have taken its port meanwhile: it runs on, and must not be lost for that.
  await adoptNetworks(context, container, process).catch((error) => report(context, container.id, error));
  await adopt(context, container, process);
}
