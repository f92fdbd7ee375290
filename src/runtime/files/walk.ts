import { type Dirent, readdirSync } from 'node:fs';

export type EntryKind = 'file' | 'directory' | 'symlink' | 'other';

/** One path below the start of a walk, `/`-separated, without a leading slash. */
export interface TreeEntry {
  readonly path: string;
  readonly kind: EntryKind;
}

/** False keeps a path, true leaves it out, `'subtree'` leaves it out with all that is below it. */
export type Excluded = (path: string, isDirectory: boolean) => boolean | 'subtree';

/**
 * Every path below a directory: parents before children, names in byte order. Symlinks are not followed.
 * A directory that is left out still appears when something below it is kept, so that the kept thing has a parent.
 * @param prefix how the directory itself is called in the paths given to `excluded`
 */
export function walkTree(directory: string, excluded: Excluded = () => false, prefix = ''): TreeEntry[] {
  const found: TreeEntry[] = [];
  const visit = (relative: string, missingParents: readonly string[]): void => {
    let missing = missingParents;
    for (const entry of readSorted(relative === '' ? directory : `${directory}/${relative}`)) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      const kind = kindOf(entry);
      const left = excluded(prefix === '' ? path : `${prefix}/${path}`, kind === 'directory');
      if (left === 'subtree') continue;
      if (left) {
        if (kind === 'directory') {
          const before = found.length;
          visit(path, [...missing, path]);
          if (found.length > before) missing = [];
        }
        continue;
      }
      for (const parent of missing) found.push({ path: parent, kind: 'directory' });
      missing = [];
      found.push({ path, kind });
      if (kind === 'directory') visit(path, []);
    }
  };
  visit('', []);
  return found;
}

function readSorted(directory: string): Dirent[] {
  return readdirSync(directory, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : 0,
  );
}

function kindOf(entry: Dirent): EntryKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : 'other';
}
