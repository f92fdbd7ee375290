import { lstatSync, type Stats } from 'node:fs';
import { isOpaque, isWhiteout } from './attributes.ts';
import { baseName, fsPath, parentPath, readNames } from './fs-path.ts';

export interface Found {
  /** Absolute path in the layer that shows it. */
  readonly path: string;
  readonly stat: Stats;
}

/** Looks names up in a stack of layer directories as overlay would show them, without mounting it. */
export class Lowers {
  /** Topmost first. */
  readonly #tops: readonly string[];
  /** Directory to the layer directories that it merges, topmost first. */
  readonly #merged = new Map<string, readonly string[]>();

  constructor(tops: readonly string[]) {
    this.#tops = tops;
  }

  get isEmpty(): boolean {
    return this.#tops.length === 0;
  }

  find(path: string): Found | undefined {
    for (const directory of this.directories(parentPath(path))) {
      const place = `${directory}/${baseName(path)}`;
      const stat = lstatSync(fsPath(place), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      return isWhiteout(stat) ? undefined : { path: place, stat };
    }
    return undefined;
  }

  /** The names in a directory, sorted, with the topmost places that have them: whiteouts too. */
  entries(path: string): ReadonlyMap<string, string> {
    const directories = this.directories(path);
    const places = new Map<string, string>();
    for (const directory of directories) {
      for (const name of readNames(directory)) if (!places.has(name)) places.set(name, `${directory}/${name}`);
    }
    return directories.length < 2 ? places : new Map([...places].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The layer directories that are merged at `path`; none when it is no directory. */
  directories(path: string): readonly string[] {
    if (path === '') return this.#tops;
    const known = this.#merged.get(path);
    if (known) return known;
    const merged: string[] = [];
    for (const parent of this.directories(parentPath(path))) {
      const place = `${parent}/${baseName(path)}`;
      const stat = lstatSync(fsPath(place), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (!stat.isDirectory()) break;
      merged.push(place);
      if (isOpaque(place)) break;
    }
    this.#merged.set(path, merged);
    return merged;
  }
}
