import { closeSync, constants, openSync, readlinkSync, type Stats } from 'node:fs';
import {
  decodeName,
  encodeHeader,
  endOfArchive,
  OPAQUE_WHITEOUT,
  padding,
  type TarEntry,
  WHITEOUT_PREFIX,
} from '../../../archive/index.ts';
import { splitDevice } from '../../linux/device.ts';
import { ChunkWriter } from './chunks.ts';
import { baseName, fsPath, joinPath, parentPath } from './fs-path.ts';
import { isGone, type TreeItem } from './walk.ts';

/** Not blocking: what was a file a moment ago may be a fifo now. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface PackOptions {
  /** The consumer is done with a chunk when it asks for the next: one buffer serves for all. */
  readonly reuseBuffer?: boolean;
}

/**
 * The canonical tar of a tree, in chunks of 1 MiB. One tree has one form: items in the order given, whole seconds,
 * numeric owners, no names of owners; files with several names become links to the first; overlay's marks become
 * whiteouts, whose own attributes are all zero since deleting has no owner and its time would make builds differ.
 */
export function* packTree(items: Iterable<TreeItem>, options: PackOptions = {}): Generator<Buffer> {
  const firstNames = new Map<string, string>();
  const writer = new ChunkWriter(options.reuseBuffer ?? false);
  for (const item of items) {
    const entry = entryOf(item, firstNames);
    if (entry === undefined) continue;
    if (entry.size > 0) yield* packFile(item, entry, writer);
    else yield* writer.bytes(encodeHeader(entry));
    if (item.opaque) yield* writer.bytes(encodeHeader(whiteout(joinPath(item.path, OPAQUE_WHITEOUT))));
  }
  yield* writer.bytes(endOfArchive);
  yield* writer.rest();
}

function* packFile(item: TreeItem, entry: TarEntry, writer: ChunkWriter): Generator<Buffer> {
  const fd = ifThere(() => openSync(fsPath(item.place), OPEN_FLAGS));
  if (fd === undefined) return;
  try {
    yield* writer.bytes(encodeHeader(entry));
    // A live root's file may shrink meanwhile; the header has promised its size.
    yield* writer.file(fd, entry.size);
    yield* writer.bytes(padding(entry.size));
  } finally {
    closeSync(fd);
  }
}

function ifThere<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function whiteout(name: string): TarEntry {
  return { name, type: 'file', mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 };
}

/** @returns undefined when the file is gone */
function entryOf(item: TreeItem, firstNames: Map<string, string>): TarEntry | undefined {
  const { path, stat, xattrs } = item;
  if (item.whiteout) return whiteout(joinPath(parentPath(path), WHITEOUT_PREFIX + baseName(path)));
  const common = {
    name: path,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: 0,
    mtime: Math.floor(stat.mtimeMs / 1000),
    ...(xattrs === undefined ? {} : { xattrs }),
  };
  if (stat.isDirectory()) return { ...common, type: 'directory' };
  const first = firstName(stat, path, firstNames);
  if (first !== undefined) {
    const { xattrs: _ofTheFirst, ...linked } = common as TarEntry;
    return { ...linked, type: 'hardlink', linkName: first };
  }
  if (stat.isSymbolicLink()) {
    const target = ifThere(() => readlinkSync(fsPath(item.place), { encoding: 'buffer' }));
    return target && { ...common, type: 'symlink', linkName: decodeName(target) };
  }
  if (stat.isFIFO()) return { ...common, type: 'fifo' };
  if (stat.isCharacterDevice()) return { ...common, type: 'character-device', ...splitDevice(stat.rdev) };
  if (stat.isBlockDevice()) return { ...common, type: 'block-device', ...splitDevice(stat.rdev) };
  return { ...common, type: 'file', size: stat.size };
}

/** An earlier name of the same file. */
function firstName(stat: Stats, path: string, firstNames: Map<string, string>): string | undefined {
  if (stat.nlink === 1) return undefined;
  const key = `${stat.dev}:${stat.ino}`;
  const first = firstNames.get(key);
  if (first === undefined) firstNames.set(key, path);
  return first;
}
