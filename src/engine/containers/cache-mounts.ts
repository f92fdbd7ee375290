import { BerthError } from '../../errors/index.ts';
import type { ContainerSpec } from '../ports.ts';
import type { Container, ContainersContext } from './container.ts';

/** Opens the caches of a container that is about to run; `closeCaches` gives them back. A locked one is waited for. */
export async function openCaches(context: ContainersContext, container: Container): Promise<ContainerSpec['binds']> {
  const { caches } = context.ports;
  const binds: ContainerSpec['binds'][number][] = [];
  for (const { id, sharing, target, readonly } of container.record.caches ?? []) {
    if (!caches) throw new BerthError('unsupported', 'this engine has no caches of builds');
    const opened = await caches.open({ id, sharing, mode: 0o755, uid: 0, gid: 0, signal: context.closing });
    container.caches.push(opened);
    binds.push({ source: opened.path, target, readonly, options: [] });
  }
  return binds;
}

/** Idempotent. */
export async function closeCaches(container: Container): Promise<void> {
  await Promise.all(container.caches.splice(0).map((cache) => cache.release()));
}
