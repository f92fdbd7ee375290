import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, posix } from 'node:path';
import { O_PATH, openInRoot, pathOfFd } from '../linux/in-root.ts';
import { setTimes } from '../linux/libc.ts';

/** A file or directory that is needed to mount something on. */
export interface MountPoint {
  readonly target: string;
  readonly isDirectory: boolean;
}

/**
 * Makes the mount points that a root lacks, so that they can be taken away again and the root's own directories keep
 * their times: a build step's layer holds what the step did, and not what was needed to run it.
 * @returns removes those that were made and are still empty. Idempotent
 */
export function makeMountStubs(root: string, points: readonly MountPoint[]): () => void {
  const made: MountPoint[] = [];
  for (const point of points) {
    for (const missing of missingParts(root, point)) {
      inParent(root, missing.target, (parent, name) => {
        const before = statSync(parent, { bigint: true });
        if (missing.isDirectory) mkdirSync(`${parent}/${name}`, 0o755);
        else writeFileSync(`${parent}/${name}`, '', { flag: 'wx', mode: 0o644 });
        restoreTimes(parent, before);
      });
      made.push(missing);
    }
  }
  return () => {
    for (const stub of made.splice(0).reverse()) {
      try {
        inParent(root, stub.target, (parent, name) => removeEmpty(parent, name, stub));
      } catch {
        // The step itself removed it, or put something else there.
      }
    }
  };
}

function removeEmpty(parent: string, name: string, stub: MountPoint): void {
  const before = statSync(parent, { bigint: true });
  const path = `${parent}/${name}`;
  if (stub.isDirectory) rmdirSync(path);
  else if (lstatSync(path).isFile() && lstatSync(path).size === 0) unlinkSync(path);
  else return;
  restoreTimes(parent, before);
}

/** The point and those of its parents that do not exist, the outermost first. */
function missingParts(root: string, point: MountPoint): readonly MountPoint[] {
  const missing: MountPoint[] = [];
  let { target, isDirectory } = point;
  while (target !== '/' && target !== '.' && !existsInRoot(root, target)) {
    missing.unshift({ target, isDirectory });
    target = dirname(target);
    isDirectory = true;
  }
  return missing.some((part) => isDanglingLink(root, part.target)) ? [] : missing;
}

function existsInRoot(root: string, path: string): boolean {
  try {
    closeSync(openInRoot(root, path, O_PATH));
    return true;
  } catch {
    return false;
  }
}

/** The runtime makes the target of a link that leads nowhere by itself, inside the root. */
function isDanglingLink(root: string, path: string): boolean {
  try {
    closeSync(openInRoot(root, path, O_PATH | constants.O_NOFOLLOW));
    return true;
  } catch {
    return false;
  }
}

function inParent(root: string, path: string, use: (parent: string, name: string) => void): void {
  const fd = openInRoot(root, dirname(path), O_PATH | constants.O_DIRECTORY);
  try {
    use(pathOfFd(fd), posix.basename(path));
  } finally {
    closeSync(fd);
  }
}

function restoreTimes(directory: string, before: BigIntStats): void {
  setTimes(directory, before.atimeNs, before.mtimeNs);
}
