import {
  closeSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { encodeName, type TarEntry, type TarHandler } from '../../archive/index.ts';
import { isBerthError } from '../../errors/index.ts';
import { deviceNumber } from '../linux/device.ts';
import { mknod } from '../linux/libc.ts';
import { LayerDirectories } from './directories.ts';
import { MAX_LISTED_FILES } from './durable.ts';
import type { Replaced } from './replaced.ts';
import { hostile, safePath } from './safe-path.ts';
import {
  clearXattrs,
  isWhiteout,
  isWhiteoutDevice,
  makeWhiteout,
  setAttributes,
  setTime,
  writeXattrs,
} from './tree/attributes.ts';
import { fsPath, joinPath, nativePath, parentPath } from './tree/fs-path.ts';
import type { Lowers } from './tree/lowers.ts';

const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
/** Replacing is legal and rare; an archive that does it all the time is made to waste space. */
const MAX_REPLACED = 10_000;

/**
 * Unpacks a layer's tar into an overlay upper. The folder is private to this unpacking, so what was checked stays true.
 * No link of the archive is ever followed; an entry for a name that exists replaces what has it.
 */
export class LayerUnpacker implements TarHandler {
  readonly #folder: string;
  readonly #top: string;
  readonly #isLowest: boolean;
  readonly #directories: LayerDirectories;
  readonly #replaced: Replaced[] = [];
  #file: { readonly entry: TarEntry; readonly path: string; readonly fd: number } | undefined;
  #files: string[] | undefined = [];
  #contents = 0;
  #bytes = 0;

  /**
   * @param folder has an empty `fs/`, and gets `kept/` when something is replaced
   * @param isLowest there will be no layers below
   */
  constructor(folder: string, isLowest: boolean) {
    this.#folder = folder;
    this.#top = `${folder}/fs`;
    this.#isLowest = isLowest;
    this.#directories = new LayerDirectories(this.#top, isLowest);
  }

  get replaced(): readonly Replaced[] {
    return this.#replaced;
  }

  /** Bytes of file content so far. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  /** Files with content, while they are few enough to be synced one by one. */
  get files(): readonly string[] | undefined {
    return this.#files;
  }

  /** Path of the file whose content comes next. */
  get currentPath(): string {
    return this.#file?.path ?? '';
  }

  entry(entry: TarEntry): void {
    try {
      this.#place(entry);
    } catch (error) {
      throw this.#explain(error, entry);
    }
  }

  content(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) at += writeSync(this.#file!.fd, chunk, at);
  }

  entryEnd(): void {
    if (this.#file === undefined) return;
    const { entry, path, fd } = this.#file;
    this.#file = undefined;
    try {
      if (entry.uid !== 0 || entry.gid !== 0) fchownSync(fd, entry.uid, entry.gid);
      fchmodSync(fd, entry.mode);
      if (entry.xattrs) writeXattrs(`${this.#top}/${path}`, entry.xattrs);
      futimesSync(fd, entry.mtime, entry.mtime);
    } catch (error) {
      throw this.#explain(error, entry);
    } finally {
      closeSync(fd);
    }
    this.#bytes += entry.size;
    if (entry.size === 0) return;
    this.#contents += 1;
    if (this.#contents > MAX_LISTED_FILES) this.#files = undefined;
    else this.#files?.push(path);
  }

  /** Last steps, after the last entry: what must not be disturbed by further files. */
  finish(lowers: Lowers): void {
    this.#directories.finish(lowers);
  }

  /** Lets go of an open file. Idempotent. */
  close(): void {
    if (this.#file) closeSync(this.#file.fd);
    this.#file = undefined;
  }

  #place(entry: TarEntry): void {
    const { path, whiteout } = safePath(entry.name, entry);
    if (whiteout.kind !== 'none') {
      if (entry.size > 0) throw hostile(entry, 'a whiteout has no content');
      if (whiteout.kind === 'metadata') return;
      if (entry.type === 'directory') throw hostile(entry, 'a whiteout cannot be a directory');
      if (this.#isLowest) return;
      this.#directories.ensure(parentPath(path), entry);
      if (whiteout.kind === 'opaque') this.#directories.makeOpaque(parentPath(path));
      else if (whiteout.kind === 'deleted') this.#hide(joinPath(parentPath(path), whiteout.name));
      return;
    }
    if (path === '') {
      if (entry.type !== 'directory') throw hostile(entry, 'the top of a layer is a directory');
      this.#setDirectory(path, entry);
      return;
    }
    this.#directories.ensure(parentPath(path), entry);
    const place = `${this.#top}/${path}`;
    // Most entries are files whose name is free: opening tells.
    if (entry.type === 'file' && this.#open(entry, path)) return;
    const existing = lstatSync(fsPath(place), { throwIfNoEntry: false });
    if (entry.type === 'directory') {
      if (!existing?.isDirectory()) {
        const hid = existing !== undefined && this.#remove(path, existing);
        mkdirSync(fsPath(place), 0o700);
        if (hid) this.#directories.makeOpaque(path);
      }
      this.#setDirectory(path, entry);
      return;
    }
    // A link to itself must not remove its own target.
    const target = entry.type === 'hardlink' ? this.#linkTarget(entry, path) : undefined;
    if (existing) this.#remove(path, existing);
    this.#make(entry, path, place, target);
  }

  #make(entry: TarEntry, path: string, place: string, target: string | undefined): void {
    switch (entry.type) {
      case 'file':
        this.#open(entry, path);
        return;
      case 'hardlink':
        linkSync(fsPath(target!), fsPath(place));
        return;
      case 'symlink':
        symlinkSync(encodeName(entry.linkName ?? ''), fsPath(place));
        break;
      case 'fifo':
        mknod(nativePath(place), S_IFIFO | 0o600, 0n);
        break;
      case 'character-device':
      case 'block-device': {
        const device = deviceNumber(entry.major ?? 0, entry.minor ?? 0);
        if (entry.type === 'character-device' && isWhiteoutDevice(device))
          throw hostile(entry, 'it would be a whiteout');
        mknod(nativePath(place), (entry.type === 'block-device' ? S_IFBLK : S_IFCHR) | 0o600, device);
        break;
      }
      case 'directory':
        return;
    }
    setAttributes(place, entry, entry.type === 'symlink');
    setTime(place, entry.mtime);
  }

  /** @returns false when the name is taken */
  #open(entry: TarEntry, path: string): boolean {
    try {
      this.#file = { entry, path, fd: openSync(fsPath(`${this.#top}/${path}`), 'wx', 0o600) };
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  #setDirectory(path: string, entry: TarEntry): void {
    const place = path === '' ? this.#top : `${this.#top}/${path}`;
    clearXattrs(place);
    setAttributes(place, entry);
    this.#directories.add(path, entry.mtime);
  }

  /** @returns absolute path of a file of this layer */
  #linkTarget(entry: TarEntry, path: string): string {
    const target = safePath(entry.linkName ?? '', entry);
    const place = `${this.#top}/${target.path}`;
    const stat = this.#directories.isReal(parentPath(target.path))
      ? lstatSync(fsPath(place), { throwIfNoEntry: false })
      : undefined;
    const shown = JSON.stringify(entry.linkName);
    if (target.path === path) throw hostile(entry, 'it is a hard link to itself');
    if (stat === undefined || isWhiteout(stat))
      throw hostile(entry, `it links to ${shown}, which is not in this layer`);
    if (stat.isDirectory()) throw hostile(entry, `it is a hard link to the directory ${shown}`);
    return place;
  }

  /** Deletes a name of the layers below. What this layer itself has of that name stays: whiteouts do not see it. */
  #hide(path: string): void {
    const place = `${this.#top}/${path}`;
    const existing = lstatSync(fsPath(place), { throwIfNoEntry: false });
    if (existing?.isDirectory()) this.#directories.makeOpaque(path);
    else if (existing === undefined) makeWhiteout(place);
  }

  /** Makes a name free; content that the original tar is rebuilt from is kept. @returns whether it was a whiteout */
  #remove(path: string, existing: Stats): boolean {
    const place = fsPath(`${this.#top}/${path}`);
    if (!existing.isDirectory() && !existing.isFile()) {
      unlinkSync(place);
      return isWhiteout(existing);
    }
    if (this.#replaced.length === MAX_REPLACED) {
      throw hostile({ name: path } as TarEntry, `the archive replaces more than ${MAX_REPLACED} of its own entries`);
    }
    if (this.#replaced.length === 0) mkdirSync(`${this.#folder}/kept`, 0o700);
    renameSync(place, `${this.#folder}/kept/${this.#replaced.length}`);
    this.#replaced.push({ path, before: this.#contents });
    this.#files = undefined;
    this.#directories.forget(path);
    return false;
  }

  #explain(error: unknown, entry: TarEntry): unknown {
    const { code } = error as NodeJS.ErrnoException;
    if (isBerthError(error) || code === 'ENOSPC' || code === 'EDQUOT') return error;
    return hostile(entry, (error as Error).message);
  }
}
