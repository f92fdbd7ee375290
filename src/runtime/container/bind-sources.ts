import { closeSync, existsSync, fstatSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { BerthError } from '../../errors/index.ts';
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

const pinFolder = (bundle: string) => `${bundle}/pinned`;

/**
 * Calls `use` with binds whose paths within a source are pinned: what is mounted is what was checked, whoever swaps a
 * folder for a link meanwhile. A runtime cannot bind a descriptor of another mount namespace, hence the mounts.
 * @throws BerthError `invalid` for a path that is not in its source
 * @see CVE-2023-2253 and CVE-2024-23651, races on subpaths
 */
export async function withBindSources<T>(
  bundle: string,
  binds: readonly BindRequest[],
  use: (binds: readonly BindRequest[]) => Promise<T>,
): Promise<T> {
  try {
    const pinned = binds.map((bind, index) =>
      bind.subpath === undefined ? bind : { ...bind, source: pin(bundle, bind.source, bind.subpath, index) },
    );
    return await use(bindRequests(pinned));
  } finally {
    unpin(bundle);
  }
}

function pin(bundle: string, source: string, subpath: string, index: number): string {
  const target = `${pinFolder(bundle)}/${index}`;
  mkdirSync(pinFolder(bundle), { recursive: true, mode: 0o700 });
  const fd = openSubpath(source, subpath);
  try {
    if (fstatSync(fd).isDirectory()) mkdirSync(target);
    else writeFileSync(target, '');
    mount(pathOfFd(fd), target, null, flags.MS_BIND | flags.MS_REC, null);
  } finally {
    closeSync(fd);
  }
  return target;
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
    throw new BerthError('invalid', `cannot access path ${subpath} in the volume: ${(cause as Error).message}`, {
      hint: 'a subpath must exist before the container starts',
      cause,
    });
  }
  const stats = fstatSync(fd);
  if (stats.isDirectory() || stats.isFile()) return fd;
  closeSync(fd);
  throw new BerthError('invalid', `${subpath} in the volume is neither a folder nor a file`);
}
