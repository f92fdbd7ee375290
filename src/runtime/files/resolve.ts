import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { BerthError } from '../../errors/index.ts';
import { O_PATH, openBelow, openInRoot, pathOfFd, placeInRoot } from '../linux/in-root.ts';
import type { TreeEntry } from './walk.ts';

/** A source's real path (its own links followed inside the root), its place in the root, and what it is. */
export function openSource(root: string, path: string): { path: string; place: string; kind: TreeEntry['kind'] } {
  const rootFd = openInRoot(root, '', O_PATH | constants.O_DIRECTORY);
  try {
    const fd = openBelow(rootFd, path, O_PATH);
    try {
      const stats = fstatSync(fd);
      const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
      return { path: readlinkSync(pathOfFd(fd)), place: placeInRoot(rootFd, fd), kind };
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(rootFd);
  }
}

/** More links than this in one path is a loop, as the kernel has it. */
const MAX_LINKS = 40;

export function resolveBelow(rootFd: number, path: string, linksLeft = MAX_LINKS): string {
  if (linksLeft === 0) throw new BerthError('invalid', `/${path} goes through too many links`);
  const components = path.split('/').filter((component) => component !== '' && component !== '.');
  for (let count = components.length; count >= 0; count--) {
    const fd = openPrefix(rootFd, components.slice(0, count));
    if (fd === undefined) continue;
    try {
      const place = placeInRoot(rootFd, fd);
      const [next, ...rest] = components.slice(count);
      const dangling = next === undefined || next === '..' ? undefined : linkTarget(`${pathOfFd(fd)}/${next}`);
      if (dangling === undefined) return normalise([place, ...components.slice(count)]);
      const start = dangling.startsWith('/') ? '' : place;
      return resolveBelow(rootFd, normalise([start, dangling, ...rest]), linksLeft - 1);
    } finally {
      closeSync(fd);
    }
  }
  return normalise(components);
}

function openPrefix(rootFd: number, components: readonly string[]): number | undefined {
  try {
    return openBelow(rootFd, components.join('/'), O_PATH);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR') throw notADirectory(components);
    throw error;
  }
}

/** Where a link points whose target does not exist: what is written there is made at the target. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Drops `.` and resolves `..` by text: nothing below is a link, because nothing below exists. */
function normalise(parts: readonly string[]): string {
  const kept: string[] = [];
  for (const part of parts.flatMap((text) => text.split('/'))) {
    if (part === '' || part === '.') continue;
    if (part === '..') kept.pop();
    else kept.push(part);
  }
  return kept.join('/');
}

function notADirectory(components: readonly string[]): BerthError {
  return new BerthError('invalid', `/${components.join('/')} goes through something that is not a directory`);
}

export function makeDirectories(
  rootFd: number,
  place: string,
  attributes: { readonly uid: number; readonly gid: number; readonly mode: number },
): void {
  const components = place === '' ? [] : place.split('/');
  let parent = openBelow(rootFd, '', O_PATH | constants.O_DIRECTORY);
  try {
    for (const component of components) {
      const path = `${pathOfFd(parent)}/${component}`;
      if (!lstatSync(path, { throwIfNoEntry: false })) {
        mkdirSync(path, 0o700);
        lchownSync(path, attributes.uid, attributes.gid);
        chmodSync(path, attributes.mode);
      } else if (!statSync(path).isDirectory()) {
        throw new BerthError('invalid', `/${place} cannot be made: ${component} is there and is not a directory`);
      }
      const next = openSync(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
      closeSync(parent);
      parent = next;
    }
  } finally {
    closeSync(parent);
  }
}
