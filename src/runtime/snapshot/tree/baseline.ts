import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { fsPath, joinPath } from './fs-path.ts';

/** Tells, of a tree that was made from a stack of layers, what is still as it was made. */
export interface Baseline {
  /** This is the directory that was made at the path, and not another that has its place now. */
  isSameDirectory(path: string, stat: Stats): boolean;
  /** Nothing was done to what was made at the path. Asked only for names in directories that are the same. */
  isUntouched(path: string, stat: Stats): boolean;
  /** This file did not exist when the tree was made. */
  isNew(path: string, stat: Stats): boolean;
}

/** How a worker thread comes by a baseline. */
export type BaselineSource =
  /** A JSON file with `TreeTable` in it. */
  | { readonly kind: 'table'; readonly file: string }
  /** The tree is a snapshot of this one, older than the mark, a file: what is unchanged has the same inode and times. */
  | { readonly kind: 'twin'; readonly top: string; readonly mark: string };

/** What is remembered of a tree that was copied together. */
export interface TreeTable {
  /** Time on the clock of the file system, in milliseconds: what has a later ctime was changed. */
  readonly since: number;
  /** Inode numbers by path; `''` is the top. */
  readonly directories: Readonly<Record<string, number>>;
}

export function openBaseline(source: BaselineSource): Baseline {
  if (source.kind === 'table') return tableBaseline(JSON.parse(readFileSync(source.file, 'utf8')) as TreeTable);
  return twinBaseline(source.top, lstatSync(source.mark).birthtimeMs);
}

function tableBaseline({ since, directories }: TreeTable): Baseline {
  const inodes = new Map(Object.entries(directories));
  return {
    // An inode number may be used again: the time of birth tells, where the file system knows it.
    isSameDirectory: (path, stat) => inodes.get(path) === stat.ino && stat.birthtimeMs < since,
    isUntouched: (_path, stat) => stat.ctimeMs < since,
    isNew: (_path, stat) => stat.birthtimeMs >= since,
  };
}

/** For file systems that use no inode number twice within a tree. */
function twinBaseline(top: string, since: number): Baseline {
  const twinOf = (path: string) => lstatSync(fsPath(joinPath(top, path)), { throwIfNoEntry: false });
  return {
    isSameDirectory: (path, stat) => twinOf(path)?.ino === stat.ino,
    isUntouched(path, stat) {
      const twin = twinOf(path);
      return twin !== undefined && twin.ino === stat.ino && twin.ctimeMs === stat.ctimeMs;
    },
    isNew: (_path, stat) => stat.birthtimeMs >= since,
  };
}
