import { call, callInThread } from '../../linux/index.ts';

/** The functions of the C library that deal with mounts, files and namespaces. All but those named so are synchronous. */

const O_CLOEXEC = 0o2000000;

export const flags = {
  MS_RDONLY: 1,
  MS_NOSUID: 2,
  MS_NODEV: 4,
  MS_NOEXEC: 8,
  MS_SYNCHRONOUS: 16,
  MS_REMOUNT: 32,
  MS_DIRSYNC: 128,
  MS_NOATIME: 1024,
  MS_NODIRATIME: 2048,
  MS_BIND: 4096,
  MS_MOVE: 8192,
  MS_REC: 16384,
  MS_PRIVATE: 1 << 18,
  MS_SLAVE: 1 << 19,
  MS_SHARED: 1 << 20,
  MS_RELATIME: 1 << 21,
  MS_STRICTATIME: 1 << 24,
  MNT_DETACH: 2,
  CLONE_FS: 0x200,
  CLONE_NEWNS: 0x20000,
  CLONE_NEWNET: 0x40000000,
  LOCK_SH: 1,
  LOCK_EX: 2,
  LOCK_NB: 4,
} as const;

export function mount(
  source: string,
  target: string,
  type: string | null,
  mountFlags: number,
  data: string | null,
): void {
  call(
    'int mount(const char*, const char*, const char*, unsigned long, const char*)',
    source,
    target,
    type,
    mountFlags,
    data,
  );
}

export function umount(target: string, umountFlags: number): void {
  call('int umount2(const char*, int)', target, umountFlags);
}

export function unshare(cloneFlags: number): void {
  call('int unshare(int)', cloneFlags);
}

export function setns(fd: number, type: number): void {
  call('int setns(int, int)', fd, type);
}

/** A pipe of the kernel (Node's own `pipe` stdio is a socket pair, which `/dev/stdout` cannot re-open). */
export function pipe(): { readonly read: number; readonly write: number } {
  const ends = Buffer.alloc(8);
  call('int pipe2(void*, int)', ends, O_CLOEXEC);
  return { read: ends.readInt32LE(0), write: ends.readInt32LE(4) };
}

/** Access and modification time to the nanosecond, where `node:fs` takes fractions of seconds. Follows links. */
export function setTimes(path: string, atimeNs: bigint, mtimeNs: bigint): void {
  const times = Buffer.alloc(32);
  for (const [position, ns] of [atimeNs, mtimeNs].entries()) {
    times.writeBigInt64LE(ns / 1_000_000_000n, position * 16);
    times.writeBigInt64LE(ns % 1_000_000_000n, position * 16 + 8);
  }
  call('int utimensat(int, const char*, const void*, int)', -100, path, times, 0);
}

/** Locks an open file; throws `EAGAIN` when another process has it and LOCK_NB is set. */
export function flock(fd: number, operation: number): void {
  call('int flock(int, int)', fd, operation);
}

/** `path` is a Buffer that ends in NUL when the name is not UTF-8. */
export function mknod(path: string | Buffer, mode: number, device: bigint): void {
  call('int mknod(const char*, uint32_t, uint64_t)', path, mode, device);
}

/** Writes out everything of the file system that holds an open file; waits in a thread of the pool. */
export async function syncfs(fd: number): Promise<void> {
  await callInThread('int syncfs(int)', fd);
}

/** As `umount`, in a thread of the pool: an overlay writes out its upper file system first. */
export async function umountInThread(target: string, umountFlags: number): Promise<void> {
  await callInThread('int umount2(const char*, int)', target, umountFlags);
}

const M_MMAP_THRESHOLD = -3;
const M_ARENA_MAX = -8;

/**
 * Keeps the C heap small: buffers of layers come from the kernel and go back to it, however large a freed one was, and
 * threads do not get heaps of their own. Other C libraries than glibc have no such knobs. @see mallopt(3)
 */
export function keepHeapSmall(): void {
  try {
    call('int mallopt(int, int)', M_MMAP_THRESHOLD, 128 << 10);
    call('int mallopt(int, int)', M_ARENA_MAX, 1);
  } catch {
    // It is a wish.
  }
}

/** Gives free pages of the C heap back to the kernel. @see malloc_trim(3) */
export function trimMemory(): void {
  call('int malloc_trim(size_t)', 0);
}
