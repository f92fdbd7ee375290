import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

/**
 * Calls into C libraries: the only importer of `koffi`. Failed system calls throw an `Error` with `code` (`ENOENT`),
 * `errno` and `syscall`, as `node:fs` does. It is loaded on first use: 14 ms that `ps` never pays.
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

/** Calls a function of the C library that returns -1 and sets errno on failure. */
export function call(prototype: string, ...args: unknown[]): number {
  const result = Number(native(prototype)(...args));
  if (result >= 0) return result;
  throw failed(prototype);
}

/** As `call`, without blocking the event loop. */
export function callInThread(prototype: string, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const done = (failure: Error | null, result: number) => {
      if (failure) reject(failure);
      else if (result >= 0) resolve(result);
      else reject(failed(prototype));
    };
    (native(prototype) as unknown as { async(...args: unknown[]): void }).async(...args, done);
  });
}

/** The error that errno tells after a call. */
function failed(prototype: string): Error {
  const syscall = /(\w+)\s*\(/.exec(prototype)?.[1] ?? prototype;
  return systemError(koffi!.errno(), syscall);
}

/** An error number of the kernel as the `Error` that a failed call throws. */
export function systemError(errno: number, syscall: string, detail?: string): Error {
  const code = getSystemErrorName(-errno);
  const message = `${code}: ${syscall} failed${detail ? `: ${detail}` : ''}`;
  return Object.assign(new Error(message), { code, errno: -errno, syscall });
}
