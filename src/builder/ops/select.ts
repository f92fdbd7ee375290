import { posix } from 'node:path';
import { nearest } from '../../diagnostics/index.ts';
import { createIgnoreMatcher, hasGlob, ignorePattern, matchGlob } from '../../parser/index.ts';
import type { CopyOp } from '../plan/graph.ts';
import type { RootFiles } from '../ports.ts';
import type { BuildContext } from './source-local.ts';
import type { OpenTree } from './step-env.ts';

/** One thing that COPY copies. */
export interface Selected {
  /** Which of the sources named it, as written. */
  readonly index: number;
  /** Relative to the tree, `''` for all of it. */
  readonly path: string;
  /** Where that really is, with symlinks followed: what rules about the files below go by. */
  readonly place: string;
  readonly isDirectory: boolean;
  /** Where it goes below the destination with `--parents`. */
  readonly below: string;
}

/** Why a source cannot be copied; `index` counts the sources as written. */
export interface Unselected {
  /** Which source. */
  readonly index: number;
  /** There is no tree to look in, rather than nothing at the path. */
  readonly noContext?: boolean;
  readonly message: string;
  readonly hint?: string;
}

export type Selection =
  | { readonly ok: true; readonly selected: readonly Selected[] }
  | { readonly ok: false; readonly problem: Unselected };

const MAX_SEARCHED = 20_000;

/**
 * Finds what the sources of a COPY name. Patterns follow Go's filepath.Match over whole paths, and may match nothing;
 * a plain path must exist and be visible.
 * @see tonistiigi/fsutil copy, "ResolveWildcards"
 */
export async function selectSources(
  op: CopyOp,
  tree: OpenTree,
  files: RootFiles,
  context: BuildContext | null,
): Promise<Selection> {
  const selected: Selected[] = [];
  for (const [index, source] of op.sources.entries()) {
    if (tree.root === null) {
      const message = tree.isContext
        ? `there is no build context to copy ${source} from`
        : `${source} is not there: the source is empty`;
      return { ok: false, problem: { index, message, noContext: tree.isContext } };
    }
    const found = await selectOne(op, { ...tree, root: tree.root }, files, source);
    if (found) selected.push(...found.map((item) => ({ ...item, index })));
    else return { ok: false, problem: { index, ...(await explainMissing(tree.root, tree, files, source, context)) } };
  }
  return { ok: true, selected };
}

type Match = Omit<Selected, 'below' | 'index'>;
type RootedTree = OpenTree & { readonly root: string };

async function selectOne(
  op: CopyOp,
  tree: RootedTree,
  files: RootFiles,
  source: string,
): Promise<Omit<Selected, 'index'>[] | undefined> {
  const { pivot, path } = splitPivot(op, source);
  const below = (match: string) => (pivot === '' ? match : match.slice(pivot.length).replace(/^\//, ''));
  if (hasGlob(path)) {
    const matches = await matchesOf(op, tree, files, path);
    return matches.map((match) => ({ ...match, below: below(match.path) }));
  }
  const info = await files.stat(tree.root, path);
  if (!info) return undefined;
  const isDirectory = info.type === 'directory';
  const real = await files.resolve(tree.root, path);
  if (!(await isVisible(tree, files, path, isDirectory)) || !(await isVisible(tree, files, real, isDirectory)))
    return undefined;
  return [{ path, place: real, isDirectory, below: below(path) }];
}

/** `a/./b` with `--parents` keeps only what follows the `./`. */
function splitPivot(op: CopyOp, source: string): { pivot: string; path: string } {
  const at = op.parents ? source.indexOf('/./') : -1;
  return { pivot: at < 0 ? '' : cleanPath(source.slice(0, at)), path: cleanPath(source) };
}

/** Relative to the root, which `..` cannot leave. */
export function cleanPath(path: string): string {
  return posix.normalize(`/${path}`).replace(/^\/+|\/+$/g, '');
}

async function matchesOf(op: CopyOp, tree: RootedTree, files: RootFiles, pattern: string): Promise<Match[]> {
  const components = pattern.split('/');
  const fixed = components.slice(
    0,
    components.findIndex((component) => hasGlob(component)),
  );
  const deep = op.parents && components.includes('**');
  const start = fixed.join('/');
  if ((await files.stat(tree.root, start))?.type !== 'directory') return [];
  const startPlace = await files.resolve(tree.root, start);
  const entries = await files.list(tree.root, start, deep ? {} : { depth: components.length - fixed.length });
  const matcher = deep ? createIgnoreMatcher([ignorePattern(pattern)]) : undefined;
  const matches: Match[] = [];
  for (const { path: place, isDirectory } of entries) {
    // The pattern is about names as written, not about where a symlink leads.
    const path = cleanPath(`${start}/${place.slice(startPlace.length)}`);
    if (matcher ? isDirectory || !matcher.ignores(path) : !matchGlob(pattern, path)) continue;
    const last = matches.at(-1);
    if (last?.isDirectory && path.startsWith(`${last.path}/`)) continue;
    if (await isVisible(tree, files, place, isDirectory)) matches.push({ path, place, isDirectory });
  }
  return matches;
}

/** A hidden directory still counts when an exception shows something below it. */
async function isVisible(
  { root, excluded }: RootedTree,
  files: RootFiles,
  path: string,
  isDirectory: boolean,
): Promise<boolean> {
  if (!excluded || path === '') return true;
  const verdict = excluded(path, isDirectory);
  if (verdict === false) return true;
  if (verdict === 'subtree' || !isDirectory) return false;
  const below = await files.list(root, path);
  return below.some((entry) => excluded(entry.path, entry.isDirectory) === false);
}

async function explainMissing(
  root: string,
  tree: OpenTree,
  files: RootFiles,
  source: string,
  context: BuildContext | null,
): Promise<{ message: string; hint?: string }> {
  const path = cleanPath(source);
  const hidden = tree.isContext ? context?.hiddenBy(path) : undefined;
  const place = tree.isContext ? 'the build context' : 'the source';
  if (hidden && (await files.stat(root, path, { follow: false }))) {
    return {
      message: `${source} is hidden from the build by ${hidden}`,
      hint: `add !${path} at the end of the ignore file to show it`,
    };
  }
  if ((await files.stat(root, path, { follow: false }))?.type === 'symlink') {
    return { message: `${source} is a symlink that leads nowhere in ${place}` };
  }
  const close = await nearestPath(root, tree, files, path);
  return { message: `${source} is not in ${place}`, ...(close ? { hint: `did you mean ${close}?` } : {}) };
}

/** Looks in the deepest folder of the path that exists, then for the same name anywhere. */
async function nearestPath(
  root: string,
  { excluded }: OpenTree,
  files: RootFiles,
  path: string,
): Promise<string | undefined> {
  const visible = async (start: string, depth?: number) =>
    (await files.list(root, start, depth === undefined ? {} : { depth }).catch(() => []))
      .slice(0, MAX_SEARCHED)
      .filter((entry) => !excluded?.(entry.path, entry.isDirectory))
      .map((entry) => entry.path);
  const parent = posix.dirname(path) === '.' ? '' : posix.dirname(path);
  const parentInfo = await files.stat(root, parent);
  const siblings = parentInfo?.type === 'directory' ? await visible(parent, 1) : [];
  const close = nearest(path, siblings);
  if (close) return close;
  const all = await visible('', 4);
  return all.find((other) => posix.basename(other) === posix.basename(path)) ?? nearest(path, all);
}
