import { closeSync, constants, openSync, readSync } from 'node:fs';
import { fsPath } from './fs-path.ts';

const CHUNK_BYTES = 256 << 10;
/** Not blocking, no links: in a live tree, what was a file may be something else by now. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Compares two files of `size` bytes. One that has become shorter is another. */
export function sameContent(path: string, otherPath: string, size: number): boolean {
  const fds: number[] = [];
  try {
    for (const each of [path, otherPath]) fds.push(openSync(fsPath(each), OPEN_FLAGS));
    const [one, other] = [0, 1].map(() => Buffer.allocUnsafe(Math.min(size, CHUNK_BYTES))) as [Buffer, Buffer];
    for (let at = 0; at < size; ) {
      const wanted = Math.min(CHUNK_BYTES, size - at);
      if (readFully(fds[0]!, one, wanted) < wanted || readFully(fds[1]!, other, wanted) < wanted) return false;
      if (one.compare(other, 0, wanted, 0, wanted) !== 0) return false;
      at += wanted;
    }
    return true;
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/** @returns bytes that were there, `wanted` unless the file ends before */
function readFully(fd: number, buffer: Buffer, wanted: number): number {
  let read = 0;
  while (read < wanted) {
    const got = readSync(fd, buffer, read, wanted - read, null);
    if (got === 0) break;
    read += got;
  }
  return read;
}
