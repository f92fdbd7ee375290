import { existsSync, mkdirSync } from 'node:fs';
import type { ContainerIsolation } from '../../oci/index.ts';
import { flags, mount, umount } from '../linux/libc.ts';
import { mountsBelow } from '../linux/mount-table.ts';
import type { SharedMemory } from '../spec/config.ts';

const folderOf = (bundle: string) => `${bundle}/shm`;

/** Where /dev/shm of a container comes from. One that others may join is mounted where they find it, too. */
export function sharedMemory(
  bundle: string,
  request: { readonly isolation?: ContainerIsolation; readonly shmSizeBytes: number },
): SharedMemory {
  const ipc = request.isolation?.namespaces.ipc;
  if (ipc?.kind === 'host') return { kind: 'bind', source: '/dev/shm' };
  if (ipc?.kind === 'none') return { kind: 'none' };
  if (ipc?.kind === 'process') return { kind: 'bind', source: folderOf(ipc.bundle) };
  if (ipc?.kind !== 'shareable') return { kind: 'own' };
  const folder = folderOf(bundle);
  mkdirSync(folder, { recursive: true });
  const access = flags.MS_NOSUID | flags.MS_NODEV | flags.MS_NOEXEC;
  mount('shm', folder, 'tmpfs', access, `mode=1777,size=${request.shmSizeBytes}`);
  return { kind: 'bind', source: folder };
}

/** Also what an engine that died had mounted. */
export function releaseSharedMemory(bundle: string): void {
  const folder = folderOf(bundle);
  if (existsSync(folder) && mountsBelow(bundle).includes(folder)) umount(folder, flags.MNT_DETACH);
}
