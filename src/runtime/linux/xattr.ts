import { call } from '../../linux/index.ts';

/** A path as `node:fs` takes it: a Buffer for names that are not UTF-8. */
type Path = string | Buffer;

const LIST_BYTES = 64 * 1024;
const VALUE_BYTES = 64 * 1024;
const buffer = Buffer.allocUnsafe(VALUE_BYTES);
const NONE: readonly string[] = [];

/** Names of the extended attributes of a path, links not followed; empty where the file system has none. */
export function listXattrs(path: Path): readonly string[] {
  const file = native(path);
  const length = ifSupported(() => call('long llistxattr(const char*, void*, size_t)', file, buffer, LIST_BYTES)) ?? 0;
  return length === 0 ? NONE : buffer.toString('utf8', 0, length - 1).split('\0');
}

/** Extended attributes of a path, links not followed; empty where the file system has none. */
export function readXattrs(path: Path): ReadonlyMap<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  for (const name of listXattrs(path)) {
    const value = readXattr(path, name);
    if (value) attributes.set(name, value);
  }
  return attributes;
}

/** One attribute, or undefined when it is not set. Links are not followed. */
export function readXattr(path: Path, name: string): Uint8Array | undefined {
  const file = native(path);
  const size = ifSupported(() =>
    call('long lgetxattr(const char*, const char*, void*, size_t)', file, name, buffer, VALUE_BYTES),
  );
  return size === undefined ? undefined : Uint8Array.prototype.slice.call(buffer, 0, size);
}

export function writeXattr(path: Path, name: string, value: Uint8Array): void {
  const bytes = Buffer.from(value);
  call('int lsetxattr(const char*, const char*, const void*, size_t, int)', native(path), name, bytes, bytes.length, 0);
}

/** Removes an attribute; one that is not set is fine. */
export function removeXattr(path: Path, name: string): void {
  ifSupported(() => call('int lremovexattr(const char*, const char*)', native(path), name));
}

function native(path: Path): Path {
  return typeof path === 'string' ? path : Buffer.concat([path, Buffer.of(0)]);
}

function ifSupported(run: () => number): number | undefined {
  try {
    return run();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENODATA' || code === 'ENOTSUP' || code === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}
