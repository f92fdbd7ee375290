import { closeSync, existsSync, fstatSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { mountWithIds } from '../linux/idmap.ts';
import { O_PATH, openInRoot, pathOfFd } from '../linux/in-root.ts';
import { flags, mount, umount } from '../linux/libc.ts';
import { mountsBelow } from '../linux/mount-table.ts';
import type { BindRequest } from '../spec/mounts.ts';

/** A source that does not exist is left for the runtime to complain about. */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Binds as the runtime takes them: a single file is bound on its own. Nothing is mounted below a file, and crun refuses
 * to make it recursively read-only.
 */
export function bindRequests(binds: readonly BindRequest[]): readonly BindRequest[] {
  return binds.map((bind) => (isDirectory(bind.source) ? bind : { ...bind, options: [...bind.options, 'bind'] }));
}

/** Files keep the owner of the source, whoever the container's user is. */
const IDMAP = 'idmap';

const pinFolder = (bundle: string) => `${bundle}/pinned`;

/**
 * Calls `use` with binds whose paths within a source are pinned: what is mounted is what was checked, whoever swaps a
 * folder for a link meanwhile. A runtime cannot bind a descriptor of another mount namespace, hence the mounts.
 * Binds with the option `idmap` show the owner of the source as the container's user.
 * @throws BerthError `invalid` for a path that is not in its source, `unsupported` where ids cannot be mapped
 * @see CVE-2023-2253 and CVE-2024-23651, races on subpaths
 */
export async function withBindSources<T>(
  bundle: string,
  binds: readonly BindRequest[],
  identity: { readonly uid: number; readonly gid: number },
  use: (binds: readonly BindRequest[]) => Promise<T>,
): Promise<T> {
  try {
    const pinned: BindRequest[] = [];
    for (const [index, bind] of binds.entries()) {
      const needsPin = bind.subpath !== undefined || bind.options.includes(IDMAP);
      pinned.push(needsPin ? await pin(`${pinFolder(bundle)}/${index}`, bind, identity) : bind);
    }
    return await use(bindRequests(pinned));
  } finally {
    unpin(bundle);
  }
}

async function pin(
  target: string,
  bind: BindRequest,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<BindRequest> {
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const fd = openSubpath(bind.source, bind.subpath ?? '');
  try {
    const source = fstatSync(fd);
    if (source.isDirectory()) mkdirSync(target);
    else writeFileSync(target, '');
    if (bind.options.includes(IDMAP)) {
      const [user, group] = [
        { disk: source.uid, shown: uid },
        { disk: source.gid, shown: gid },
      ] as const;
      await mountWithIds(fd, target, user, group).catch((cause: unknown) => {
        throw new BerthError(
          'unsupported',
          `${bind.source} cannot be mounted with other ids: ${(cause as Error).message}`,
          {
            hint: 'idmap needs Linux 5.12 and a file system that knows it, as ext4, xfs and btrfs do',
            cause,
          },
        );
      });
    } else mount(pathOfFd(fd), target, null, flags.MS_BIND | flags.MS_REC, null);
  } finally {
    closeSync(fd);
  }
  return { ...bind, source: target, options: bind.options.filter((option) => option !== IDMAP) };
}

/**
 * Takes the pins of a bundle away, also those of an engine that died. Throws while one is still there: whoever removes
 * the bundle would remove what it leads to.
 */
export function unpin(bundle: string): void {
  const folder = pinFolder(bundle);
  if (!existsSync(folder)) return;
  for (const target of mountsBelow(folder)) umount(target, flags.MNT_DETACH);
  const left = mountsBelow(folder);
  if (left.length > 0) throw new Error(`${left[0]} is still mounted`);
  rmSync(folder, { recursive: true, force: true });
}

function openSubpath(source: string, subpath: string): number {
  let fd: number;
  try {
    fd = openInRoot(source, subpath, O_PATH);
  } catch (cause) {
    throw new BerthError('invalid', `cannot access path ${subpath || '/'} in ${source}: ${(cause as Error).message}`, {
      hint: 'a subpath must exist before the container starts',
      cause,
    });
  }
  const stats = fstatSync(fd);
  if (stats.isDirectory() || stats.isFile()) return fd;
  closeSync(fd);
  throw new BerthError('invalid', `${subpath || '/'} in ${source} is neither a folder nor a file`);
}
