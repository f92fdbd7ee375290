import { closeSync, constants, fstatSync, readSync } from 'node:fs';
import { openInRoot } from '../linux/in-root.ts';
import { type Identity, resolveGroups, resolveUser } from '../spec/user.ts';

/** An honest account file is far smaller; a hostile one must not fill the engine's memory. */
const longestFile = 4 * 1024 * 1024;

/** Who `user[:group]` is in this root, with more groups. @throws BerthError as `resolveUser` */
export function identityInRoot(root: string, user: string, moreGroups: readonly string[] = []): Identity {
  const database = { passwd: readAccounts(root, 'etc/passwd'), group: readAccounts(root, 'etc/group') };
  const identity = resolveUser(user, database);
  return { ...identity, groups: [...identity.groups, ...resolveGroups(moreGroups, database)] };
}

/** The start of a regular file inside the root; empty for what is missing, a FIFO, a device or a way out. */
function readAccounts(root: string, path: string): string {
  let fd: number;
  try {
    fd = openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return '';
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return '';
    const buffer = Buffer.alloc(Math.min(stat.size, longestFile));
    const length = readSync(fd, buffer, 0, buffer.length, 0);
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}
