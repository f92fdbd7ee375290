import {
  chmodSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { decompress, readTar, type TarEntry } from '../../archive/index.ts';
import { deviceNumber } from '../linux/device.ts';
import { O_PATH, openBelow, openInRoot, pathOfFd } from '../linux/in-root.ts';
import { mknod } from '../linux/libc.ts';
import { writeXattr } from '../linux/xattr.ts';

const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

/** What ADD takes for an archive: told by content, never by name. @see BuildKit, "isArchivePath" */
export function looksLikeArchive(file: string): boolean {
  const head = Buffer.alloc(512);
  const fd = openSync(file, 'r');
  const length = readSync(fd, head);
  closeSync(fd);
  const starts = (...bytes: number[]) => length >= bytes.length && bytes.every((byte, at) => head[at] === byte);
  const compressed =
    starts(0x1f, 0x8b) ||
    starts(0x28, 0xb5, 0x2f, 0xfd) ||
    starts(0x42, 0x5a, 0x68) ||
    starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0);
  return compressed || head.toString('latin1', 257, 262) === 'ustar';
}

/** Unpacks a tar (plain, gzip or zstd) below a directory of a root; links in it lead nowhere outside that root. */
export async function unpackTar(
  tar: AsyncIterable<Uint8Array>,
  toRoot: string,
  toPath: string,
  owner?: { uid: number; gid: number },
): Promise<void> {
  const rootFd = openInRoot(toRoot, '', O_PATH | constants.O_DIRECTORY);
  const directories: TarEntry[] = [];
  try {
    for await (const { entry, content } of readTar(decompress(tar))) {
      const name = entry.name
        .split('/')
        .filter((part) => part !== '' && part !== '.')
        .join('/');
      if (name === '') continue;
      const leaf = name.split('/').at(-1)!;
      const parentFd = openParent(rootFd, `${toPath}/${name}`.split('/').slice(0, -1));
      try {
        const place = `${pathOfFd(parentFd)}/${leaf}`;
        await placeEntry(entry, content, place, rootFd, toPath);
        setAttributes(entry, place, owner);
        if (entry.type === 'directory') directories.push({ ...entry, name });
      } finally {
        closeSync(parentFd);
      }
    }
    for (const { name, mtime } of directories.reverse()) {
      const fd = openBelow(rootFd, `${toPath}/${name}`, O_PATH | constants.O_NOFOLLOW);
      lutimesSync(pathOfFd(fd), mtime, mtime);
      closeSync(fd);
    }
  } finally {
    closeSync(rootFd);
  }
}

/** Opens a directory by its components, making those that are missing. Links among them are followed inside the root. */
function openParent(rootFd: number, components: readonly string[]): number {
  const path = components.filter((component) => component !== '').join('/');
  try {
    return openBelow(rootFd, path, O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === '') throw error;
    const parent = openParent(rootFd, path.split('/').slice(0, -1));
    try {
      mkdirSync(`${pathOfFd(parent)}/${path.split('/').at(-1)}`, 0o755);
    } finally {
      closeSync(parent);
    }
    return openBelow(rootFd, path, O_PATH | constants.O_DIRECTORY);
  }
}

async function placeEntry(
  entry: TarEntry,
  content: AsyncIterable<Uint8Array>,
  place: string,
  rootFd: number,
  toPath: string,
): Promise<void> {
  const existing = lstatSync(place, { throwIfNoEntry: false });
  if (existing && !(existing.isDirectory() && entry.type === 'directory')) rmSync(place, { recursive: true });
  switch (entry.type) {
    case 'directory':
      if (!existing?.isDirectory()) mkdirSync(place, 0o700);
      return;
    case 'file': {
      const fd = openSync(place, 'wx', 0o600);
      try {
        for await (const chunk of content) writeSync(fd, chunk);
      } finally {
        closeSync(fd);
      }
      return;
    }
    case 'symlink':
      symlinkSync(entry.linkName ?? '', place);
      return;
    case 'hardlink': {
      const target = openBelow(rootFd, `${toPath}/${entry.linkName ?? ''}`, O_PATH | constants.O_NOFOLLOW);
      try {
        linkSync(pathOfFd(target), place);
      } finally {
        closeSync(target);
      }
      return;
    }
    default: {
      const kind = entry.type === 'fifo' ? S_IFIFO : entry.type === 'block-device' ? S_IFBLK : S_IFCHR;
      mknod(place, kind | entry.mode, deviceNumber(entry.major ?? 0, entry.minor ?? 0));
    }
  }
}

function setAttributes(entry: TarEntry, place: string, owner?: { uid: number; gid: number }): void {
  if (entry.type === 'hardlink') return;
  lchownSync(place, owner?.uid ?? entry.uid, owner?.gid ?? entry.gid);
  if (entry.type !== 'symlink') chmodSync(place, entry.mode);
  for (const [name, value] of entry.xattrs ?? []) {
    if (name === 'security.capability' || name.startsWith('user.')) writeXattr(place, name, value);
  }
  if (entry.type !== 'directory') lutimesSync(place, entry.mtime, entry.mtime);
}
