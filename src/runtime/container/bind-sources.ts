import { closeSync, constants, fstatSync, statSync } from 'node:fs';
import { BerthError } from '../../errors/index.ts';
import { O_PATH, openInRoot } from '../linux/in-root.ts';
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

/**
 * Calls `use` with binds whose paths within a source are open: what is mounted is what was checked, whoever swaps a
 * folder for a link meanwhile.
 * @throws BerthError `invalid` for a path that is not in its source
 * @see CVE-2023-2253 and CVE-2024-23651, races on subpaths
 */
export async function withBindSources<T>(
  binds: readonly BindRequest[],
  use: (binds: readonly BindRequest[]) => Promise<T>,
): Promise<T> {
  const open: number[] = [];
  try {
    const pinned = binds.map((bind) => {
      if (bind.subpath === undefined) return bind;
      const fd = openSubpath(bind.source, bind.subpath);
      open.push(fd);
      return { ...bind, source: `/proc/${process.pid}/fd/${fd}` };
    });
    return await use(bindRequests(pinned));
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

function openSubpath(source: string, subpath: string): number {
  let fd: number;
  try {
    fd = openInRoot(source, subpath, O_PATH | constants.O_NOFOLLOW);
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
