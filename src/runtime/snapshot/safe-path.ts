import { parseWhiteout, type TarEntry, type Whiteout } from '../../archive/index.ts';
import { BerthError } from '../../errors/index.ts';

/** An archive's file name, as a path that cannot leave the layer. */
export interface SafePath {
  /** Relative, without empty, `.` and `..` components; `''` is the top. */
  readonly path: string;
  /** What the last component says about layers below. */
  readonly whiteout: Whiteout;
}

/** @throws BerthError `invalid` for `..` and for whiteouts that hide no name or stand for a directory */
export function safePath(name: string, entry: TarEntry): SafePath {
  const components = name.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..')) throw hostile(entry, 'its name has a ".." component');
  const path = components.join('/');
  const meanings = components.map(parseWhiteout);
  if (meanings.some(({ kind }) => kind === 'metadata')) return { path, whiteout: { kind: 'metadata' } };
  const whiteout = meanings.pop() ?? { kind: 'none' };
  if (whiteout.kind === 'malformed') throw hostile(entry, 'this whiteout names no file');
  if (meanings.some(({ kind }) => kind !== 'none')) throw hostile(entry, 'a whiteout cannot be a directory');
  return { path, whiteout };
}

export function hostile(entry: TarEntry, why: string): BerthError {
  return new BerthError('invalid', `layer entry ${JSON.stringify(entry.name.slice(0, 300))}: ${why}`);
}
