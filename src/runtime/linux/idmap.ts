import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { call } from '../../linux/index.ts';

const SYS_OPEN_TREE = 428;
const SYS_MOVE_MOUNT = 429;
const SYS_MOUNT_SETATTR = 442;
const OPEN_TREE_CLONE = 1;
const O_CLOEXEC = 0o2000000;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_IDMAP = 0x0010_0000n;
/** Ids end here; the last one means "none". */
const ID_END = 0xffff_ffff;

/** One id on disk, and the id as which a mount shows it; the latter is shown as the former in turn. */
export interface IdPair {
  readonly disk: number;
  readonly shown: number;
}

/**
 * Mounts an open folder or file again, with one user and one group exchanged for another: what is written through the
 * mount as `shown` belongs to `disk`. All other ids stay. Throws `EINVAL` where the file system cannot do it.
 * @see mount_setattr(2), MOUNT_ATTR_IDMAP; Linux 5.12
 */
export async function mountWithIds(fd: number, target: string, user: IdPair, group: IdPair): Promise<void> {
  const namespace = await userNamespace(idMap(user), idMap(group));
  try {
    const tree = call(
      'long syscall(long, int, const char*, int)',
      SYS_OPEN_TREE,
      fd,
      '',
      OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH,
    );
    try {
      const attributes = Buffer.alloc(32);
      attributes.writeBigUInt64LE(MOUNT_ATTR_IDMAP, 0);
      attributes.writeBigUInt64LE(BigInt(namespace), 24);
      call(
        'long syscall(long, int, const char*, int, void*, size_t)',
        SYS_MOUNT_SETATTR,
        tree,
        '',
        AT_EMPTY_PATH,
        attributes,
        attributes.length,
      );
      call(
        'long syscall(long, int, const char*, int, const char*, int)',
        SYS_MOVE_MOUNT,
        tree,
        '',
        AT_FDCWD,
        target,
        MOVE_MOUNT_F_EMPTY_PATH,
      );
    } finally {
      closeSync(tree);
    }
  } finally {
    closeSync(namespace);
  }
}

/** Lines of a `uid_map` that exchange two ids and leave all others as they are. Pure. @see user_namespaces(7) */
export function idMap({ disk, shown }: IdPair): string {
  const [low, high] = [Math.min(disk, shown), Math.max(disk, shown)];
  const lines = [
    [0, 0, low],
    [low, high, 1],
    [low + 1, low + 1, high - low - 1],
    ...(low === high ? [] : [[high, low, 1]]),
    [high + 1, high + 1, ID_END - high - 1],
  ];
  return lines
    .filter(([, , count]) => count! > 0)
    .map((line) => `${line.join(' ')}\n`)
    .join('');
}

/** A descriptor of a user namespace with these maps. The process that made it is gone when this returns. */
async function userNamespace(uidMap: string, gidMap: string): Promise<number> {
  const child = spawn('unshare', ['--user', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  try {
    // An echo tells that the namespace is there.
    child.stdin.on('error', () => {});
    child.stdin.write('.');
    const first = await Promise.race([once(child.stdout, 'data'), ended]);
    if (!Buffer.isBuffer(first[0])) throw new Error('unshare --user does not work here');
    const proc = `/proc/${child.pid}`;
    writeFileSync(`${proc}/uid_map`, uidMap);
    writeFileSync(`${proc}/gid_map`, gidMap);
    return openSync(`${proc}/ns/user`, 'r');
  } finally {
    child.stdin.end();
    await ended;
  }
}
