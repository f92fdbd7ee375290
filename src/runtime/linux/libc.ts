import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

/**
 * The C library, by FFI: the only importer of `koffi`. Every function is synchronous and throws an `Error` with
 * `code` (`ENOENT`), `errno` and `syscall`, as `node:fs` does. It is loaded on first use: 14 ms that `ps` never pays.
 */
type Koffi = typeof import('koffi');
type Native = (...args: unknown[]) => number | bigint;

const requireHere = createRequire(import.meta.url);
let koffi: Koffi | undefined;
const functions = new Map<string, Native>();

function native(prototype: string): Native {
  const known = functions.get(prototype);
  if (known) return known;
  const made = libraryFunction('libc.so.6', prototype) as Native;
  functions.set(prototype, made);
  return made;
}

/** A function of another shared library, as it is: nothing is checked. Throws when the machine has no such library. */
export function libraryFunction(library: string, prototype: string): (...args: unknown[]) => unknown {
  koffi ??= requireHere('koffi') as Koffi;
  return koffi.load(library).func(prototype);
}

/** Calls a function that returns -1 and sets errno on failure. */
export function call(prototype: string, ...args: unknown[]): number {
  const result = Number(native(prototype)(...args));
  if (result >= 0) return result;
  throw failed(prototype);
}

/** The error that errno tells after a call. */
function failed(prototype: string): Error {
  const errno = koffi!.errno();
  const syscall = /(\w+)\s*\(/.exec(prototype)?.[1] ?? prototype;
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${syscall} failed`), { code, errno: -errno, syscall });
}

/** As `call`, without blocking the event loop. */
function callInThread(prototype: string, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const done = (failure: Error | null, result: number) => {
      if (failure) reject(failure);
      else if (result >= 0) resolve(result);
      else reject(failed(prototype));
    };
    (native(prototype) as unknown as { async(...args: unknown[]): void }).async(...args, done);
  });
}

const O_CLOEXEC = 0o2000000;

export const flags = {
  MS_RDONLY: 1,
  MS_NOSUID: 2,
  MS_NODEV: 4,
  MS_NOEXEC: 8,
  MS_REMOUNT: 32,
  MS_BIND: 4096,
  MS_MOVE: 8192,
  MS_REC: 16384,
  MS_PRIVATE: 1 << 18,
  MS_SLAVE: 1 << 19,
  MS_SHARED: 1 << 20,
  MNT_DETACH: 2,
  CLONE_FS: 0x200,
  CLONE_NEWNS: 0x20000,
  CLONE_NEWNET: 0x40000000,
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

/** Gives free pages of the C heap back to the kernel. @see malloc_trim(3) */
export function trimMemory(): void {
  call('int malloc_trim(size_t)', 0);
}
