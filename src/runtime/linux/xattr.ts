import { call } from './libc.ts';

const LIST_BYTES = 64 * 1024;
const VALUE_BYTES = 64 * 1024;
const buffer = Buffer.allocUnsafe(VALUE_BYTES);

/** Extended attributes of a path, links not followed; empty where the file system has none. */
export function readXattrs(path: string): ReadonlyMap<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  const length = ifSupported(() => call('long llistxattr(const char*, void*, size_t)', path, buffer, LIST_BYTES)) ?? 0;
  if (length === 0) return attributes;
  for (const name of buffer.toString('utf8', 0, length - 1).split('\0')) {
    const value = readXattr(path, name);
    if (value) attributes.set(name, value);
  }
  return attributes;
}

/** One attribute, or undefined when it is not set. Links are not followed. */
export function readXattr(path: string, name: string): Uint8Array | undefined {
  const size = ifSupported(() => call('long lgetxattr(const char*, const char*, void*, size_t)', path, name, buffer, VALUE_BYTES));
  return size === undefined ? undefined : Uint8Array.prototype.slice.call(buffer, 0, size);
}

export function writeXattr(path: string, name: string, value: Uint8Array): void {
  call('int lsetxattr(const char*, const char*, const void*, size_t, int)', path, name, Buffer.from(value), value.length, 0);
}

function ifSupported(read: () => number): number | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENODATA' || code === 'ENOTSUP' || code === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}
