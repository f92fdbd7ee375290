import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import type { TarEntry } from '../../archive/index.ts';
import { inheritTop } from './root-item.ts';
import { hostile } from './safe-path.ts';
import { isWhiteout, makeWhiteout, markOpaque, readMarks, setAttributes, setTime } from './tree/attributes.ts';
import { fsPath, joinPath, parentPath, readNames } from './tree/fs-path.ts';
import type { Lowers } from './tree/lowers.ts';

/** The directories of a layer that is being unpacked: which are real, and the times they get in the end. */
export class LayerDirectories {
  readonly #top: string;
  readonly #isLowest: boolean;
  /** Directories that are known to be no links, with the times that they shall have. */
  readonly #times = new Map<string, number>();
  /** Those of them that the archive has not mentioned: they look as they do below. */
  readonly #implicit = new Set<string>(['']);
  #topIsOpaque = false;

  /** @param isLowest there will be no layers below */
  constructor(top: string, isLowest: boolean) {
    this.#top = top;
    this.#isLowest = isLowest;
    this.#times.set('', 0);
  }

  add(path: string, mtime: number): void {
    this.#implicit.delete(path);
    this.#times.set(path, mtime);
  }

  /** A directory was moved away. */
  forget(path: string): void {
    const below = `${path}/`;
    for (const known of this.#times.keys()) {
      if (known !== path && !known.startsWith(below)) continue;
      this.#times.delete(known);
      this.#implicit.delete(known);
    }
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
    if (this.#isLowest) return;
    // Overlay always merges the tops of its layers.
    if (path === '') this.#topIsOpaque = true;
    else markOpaque(`${this.#top}/${path}`);
  }

  /** Only now the layers below must be there. */
  finish(lowers: Lowers): void {
    if (this.#topIsOpaque) this.#hideAllBelow(lowers);
    for (const path of this.#implicit) this.#likeBelow(path, lowers);
    for (const [path, mtime] of this.#times) setTime(path === '' ? this.#top : `${this.#top}/${path}`, mtime);
  }

  #makeImplicit(path: string): void {
    mkdirSync(fsPath(`${this.#top}/${path}`), 0o700);
    this.#times.set(path, 0);
    this.#implicit.add(path);
  }

  #likeBelow(path: string, lowers: Lowers): void {
    if (path === '') {
      const [parentTop = null] = lowers.directories('');
      inheritTop(this.#top, parentTop);
      this.#times.set('', lstatSync(this.#top).mtimeMs / 1000);
      return;
    }
    const place = `${this.#top}/${path}`;
    const lower = lowers.find(path);
    if (lower?.stat.isDirectory()) {
      setAttributes(place, { ...lower.stat, xattrs: readMarks(lower.path).xattrs });
      this.#times.set(path, lower.stat.mtimeMs / 1000);
    } else {
      setAttributes(place, { uid: 0, gid: 0, mode: 0o755 });
    }
  }

  #hideAllBelow(lowers: Lowers): void {
    for (const directory of lowers.directories('')) {
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
