import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import type { TarEntry } from '../../archive/index.ts';
import { hostile } from './safe-path.ts';
import { isWhiteout, makeWhiteout, markOpaque, readMarks, setAttributes, setTime } from './tree/attributes.ts';
import { fsPath, joinPath, parentPath, readNames } from './tree/fs-path.ts';
import type { Lowers } from './tree/lowers.ts';

/** The directories of a layer that is being unpacked: which are real, and the times they get in the end. */
export class LayerDirectories {
  readonly #top: string;
  readonly #lowers: Lowers;
  /** Directories that are known to be no links, with the times that they shall have. */
  readonly #times = new Map<string, number>();
  #topIsOpaque = false;

  constructor(top: string, lowers: Lowers) {
    this.#top = top;
    this.#lowers = lowers;
    this.#times.set('', lstatSync(top).mtimeMs / 1000);
  }

  add(path: string, mtime: number): void {
    this.#times.set(path, mtime);
  }

  /** A directory was moved away. */
  forget(path: string): void {
    this.#times.delete(path);
    const below = `${path}/`;
    for (const known of this.#times.keys()) if (known.startsWith(below)) this.#times.delete(known);
  }

  /** True when the path and all its parents are directories of this layer. */
  isReal(path: string): boolean {
    if (this.#times.has(path)) return true;
    return this.isReal(parentPath(path)) && this.#stat(path)?.isDirectory() === true;
  }

  /** Makes sure that `path` is a directory of this layer. @throws BerthError `invalid` where a link or file is in the way */
  ensure(path: string, entry: TarEntry): void {
    if (this.#times.has(path)) return;
    this.ensure(parentPath(path), entry);
    const stat = this.#stat(path);
    if (stat === undefined) this.#makeImplicit(path);
    else if (isWhiteout(stat)) {
      unlinkSync(fsPath(`${this.#top}/${path}`));
      mkdirSync(fsPath(`${this.#top}/${path}`), 0o755);
      setAttributes(`${this.#top}/${path}`, { uid: 0, gid: 0, mode: 0o755 });
      markOpaque(`${this.#top}/${path}`);
      this.#times.set(path, entry.mtime);
    } else {
      const what = stat.isSymbolicLink() ? 'a symbolic link of the same layer' : 'no directory';
      throw hostile(entry, `it lies below ${JSON.stringify(path)}, which is ${what}`);
    }
  }

  /** Hides all that lower layers have in a directory. */
  makeOpaque(path: string): void {
    if (this.#lowers.isEmpty) return;
    // Overlay always merges the tops of its layers.
    if (path === '') this.#topIsOpaque = true;
    else markOpaque(`${this.#top}/${path}`);
  }

  finish(): void {
    if (this.#topIsOpaque) this.#hideAllBelow();
    for (const [path, mtime] of this.#times) setTime(path === '' ? this.#top : `${this.#top}/${path}`, mtime);
  }

  /** A directory that the archive does not mention looks as it does below, where there is one. */
  #makeImplicit(path: string): void {
    const place = `${this.#top}/${path}`;
    const lower = this.#lowers.find(path);
    mkdirSync(fsPath(place), 0o700);
    if (lower?.stat.isDirectory()) {
      setAttributes(place, { ...lower.stat, xattrs: readMarks(lower.path).xattrs });
      this.#times.set(path, lower.stat.mtimeMs / 1000);
    } else {
      setAttributes(place, { uid: 0, gid: 0, mode: 0o755 });
      this.#times.set(path, 0);
    }
  }

  #hideAllBelow(): void {
    for (const directory of this.#lowers.directories('')) {
      for (const name of readNames(directory)) {
        const stat = this.#stat(name);
        if (stat === undefined) makeWhiteout(`${this.#top}/${name}`);
        else if (stat.isDirectory()) markOpaque(`${this.#top}/${joinPath('', name)}`);
      }
    }
  }

  #stat(path: string) {
    return lstatSync(fsPath(`${this.#top}/${path}`), { throwIfNoEntry: false });
  }
}
