import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What owners have below the data folder; the rest is the engine's own. */
const OWNED = [
  /^layers\/[^/]+(\/|$)/,
  /^l\/./,
  /^content\/blobs\/[^/]+\/./,
  /^(roots|containers|volumes)\/[^/]+(\/|$)/,
  /^cache\/(layer-blobs|records|slots|stat|mounts)\/./,
  /^downloads\/./,
  /^uploads\/[^/]+\/./,
  /^tmp\/./,
];

export interface DiskView {
  /** Allocated bytes of what owners have, an inode once: `du --block-size=1` of those paths. */
  readonly owned: number;
  /** Allocated bytes of the rest, and its files by name. */
  readonly rest: number;
  readonly restFiles: readonly string[];
}

/** Looks at all of a data folder, without the help of the engine. */
export function viewDisk(dataFolder: string): DiskView {
  const seen = new Set<number>();
  let [owned, rest] = [0, 0];
  const restFiles: string[] = [];
  const walk = (path: string) => {
    const stats = lstatSync(join(dataFolder, path));
    if (!seen.has(stats.ino)) {
      if (stats.nlink > 1 && !stats.isDirectory()) seen.add(stats.ino);
      if (OWNED.some((pattern) => pattern.test(path))) owned += stats.blocks * 512;
      else {
        rest += stats.blocks * 512;
        if (!stats.isDirectory()) restFiles.push(path);
      }
    }
    if (stats.isDirectory())
      for (const name of readdirSync(join(dataFolder, path))) walk(path === '' ? name : `${path}/${name}`);
  };
  walk('');
  return { owned, rest, restFiles: restFiles.sort() };
}
