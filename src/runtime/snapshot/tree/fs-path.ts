import { readdirSync } from 'node:fs';
import { decodeName, encodeName } from '../../../archive/index.ts';

/** A path as `node:fs` takes it: a Buffer when it holds bytes that are not UTF-8. */
export function fsPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : encodeName(path);
}

/** As `fsPath`, for the C library: a Buffer ends in NUL. */
export function nativePath(path: string): string | Buffer {
  return path.isWellFormed() ? path : Buffer.concat([encodeName(path), Buffer.of(0)]);
}

/** Names in a directory, sorted by code unit. Bytes that are not UTF-8 survive as `decodeName` makes them. */
export function readNames(directory: string): string[] {
  const path = fsPath(directory);
  const names = readdirSync(path);
  if (!names.some((name) => name.includes('\ufffd'))) return names.sort();
  return readdirSync(path, { encoding: 'buffer' }).map(decodeName).sort();
}

/** `name` within the relative directory `path`; `''` is the top. */
export function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

export function parentPath(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
