import type { Container, ContainersContext } from './container.ts';

/** The container's merged tree. One that does not run is mounted for as long as it is read. */
export async function exportContainer(
  { ports }: ContainersContext,
  container: Container,
): Promise<AsyncIterable<Uint8Array>> {
  await container.lock.run(() => ports.snapshots.mount(container.id));
  return (async function* () {
    try {
      yield* ports.snapshots.exportTar(container.id);
    } finally {
      await container.lock.run(async () => {
        if (!container.isActive && !container.removed) await ports.snapshots.unmount(container.id);
      });
    }
  })();
}
