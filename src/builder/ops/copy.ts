import { posix } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { createIgnoreMatcher, ignorePattern } from '../../parser/index.ts';
import type { CopyOp, InlineFile } from '../plan/graph.ts';
import { parseModeChange } from '../plan/mode-change.ts';
import type { CopyRequest, Excluded, Owner, RootFiles, WritableRoot } from '../ports.ts';
import type { KeyInputs } from '../solve/key.ts';
import { resolveOwner } from './owner.ts';
import { type Selected, selectSources, type Unselected } from './select.ts';
import { type OpenTree, type StepEnv, withTree } from './step-env.ts';

const ROOT: Owner = { uid: 0, gid: 0 };
const INLINE_MODE = 0o644;

/** What is wrong with the paths of a COPY or ADD, once the files are known. */
export class PathProblem extends BerthError {
  readonly code: 'build/no-context' | 'build/source-not-found' | 'build/bad-destination';
  /** Which source, when it is one of them. */
  readonly sourceIndex: number | undefined;

  constructor(
    code: PathProblem['code'],
    message: string,
    detail: { hint?: string | undefined; sourceIndex?: number } = {},
  ) {
    const kind = code === 'build/source-not-found' ? 'not-found' : 'invalid';
    super(kind, message, detail.hint === undefined ? {} : { hint: detail.hint });
    this.code = code;
    this.sourceIndex = detail.sourceIndex;
  }
}

function unselected({ index, noContext, message, hint }: Unselected): PathProblem {
  return new PathProblem(noContext ? 'build/no-context' : 'build/source-not-found', message, {
    hint,
    sourceIndex: index,
  });
}

/** Key inputs of the files that a COPY reads: one for each file while they are few, else one for each tree. */
export async function copiedContent(env: StepEnv, op: CopyOp, signal: AbortSignal): Promise<KeyInputs> {
  if (op.sources.length === 0) return {};
  return withTree(env, op.from, async (tree) => {
    const inputs: Record<string, string> = {};
    for (const { path, place } of await select(env, op, tree)) {
      const excluded = exclusions(op, tree, place);
      const owner = op.chown ? ROOT : tree.owner;
      const { digest, entries } = await env.ports.files.digest({
        root: tree.root!,
        path,
        statCache: tree.isContext,
        signal,
        ...(excluded ? { excluded } : {}),
        ...(owner ? { owner } : {}),
      });
      if (!entries) inputs[`tree ${path || '.'}`] = digest;
      else
        for (const [below, entry] of Object.entries(entries)) inputs[`file ${posix.join(path || '.', below)}`] = entry;
    }
    return inputs;
  });
}

/** Looks whether all that a COPY names in the context is there. @throws PathProblem */
export async function checkSources(env: StepEnv, op: CopyOp): Promise<void> {
  await withTree(env, op.from, (tree) => select(env, op, tree));
}

/** Copies into a writable root. @throws BerthError `invalid` when the destination does not fit */
export async function runCopy(env: StepEnv, op: CopyOp, root: WritableRoot, signal: AbortSignal): Promise<void> {
  const { files } = env.ports;
  const owner = op.chown ? await resolveOwner(files, root.path, op.chown) : undefined;
  const job: CopyJob = {
    op,
    files,
    to: root.path,
    owner,
    signal,
    destIsDirectory: await isDirectoryAt(files, root.path, op.dest),
  };
  const others = op.inline.length + op.remotes.length;
  if (op.sources.length === 0) {
    refuseManyOntoOne(job, others);
    await copyRemotes(env, job, 0);
  } else {
    await withTree(env, op.from, async (tree) => {
      const selected = await select(env, op, tree);
      refuseManyOntoOne(job, selected.length + others);
      // In the order in which they are written: the last one wins.
      for (let index = 0; index <= op.sources.length; index++) {
        await copyRemotes(env, job, index);
        for (const item of selected.filter((one) => one.index === index)) await copyOne(job, tree, item, op.unpack);
      }
    });
  }
  for (const file of op.inline) await writeInline(job, file, env.epoch);
}

interface CopyJob {
  readonly op: CopyOp;
  readonly files: RootFiles;
  readonly to: string;
  readonly owner: Owner | undefined;
  readonly signal: AbortSignal;
  /** Ends in `/`, or is one in the image already. */
  readonly destIsDirectory: boolean;
}

async function select(env: StepEnv, op: CopyOp, tree: OpenTree): Promise<readonly Selected[]> {
  const selection = await selectSources(op, tree, env.ports.files, env.context);
  if (!selection.ok) throw unselected(selection.problem);
  const excluded = fileExclusion(op);
  return selection.selected.filter(({ path, isDirectory }) => isDirectory || !excluded(posix.basename(path)));
}

function fileExclusion(op: CopyOp): (name: string) => boolean {
  if (op.excludes.length === 0) return () => false;
  return createIgnoreMatcher(op.excludes.map((pattern) => ignorePattern(pattern))).ignores;
}

async function isDirectoryAt(files: RootFiles, root: string, dest: string): Promise<boolean> {
  return dest.endsWith('/') || (await files.stat(root, dest))?.type === 'directory';
}

function refuseManyOntoOne({ op, destIsDirectory }: CopyJob, count: number): void {
  if (count < 2 || destIsDirectory || op.parents) return;
  throw new PathProblem(
    'build/bad-destination',
    `${count} sources cannot all become ${op.dest}, which is no directory`,
    {
      hint: `write ${op.dest}/ to copy them into a directory`,
    },
  );
}

/** Copies what was fetched and stands before a source. */
async function copyRemotes(env: StepEnv, job: CopyJob, before: number): Promise<void> {
  for (const { node, name } of job.op.remotes.filter((remote) => remote.before === before)) {
    const item = { index: before, path: name, place: name, below: name, isDirectory: name === '' };
    await withTree(env, { kind: 'node', node }, (tree) => copyOne(job, tree, item, job.op.unpackRemote));
  }
}

async function copyOne(job: CopyJob, tree: OpenTree, item: Selected, unpack: boolean): Promise<void> {
  const { op, files, to, owner, signal } = job;
  signal.throwIfAborted();
  const fromRoot = tree.root!;
  if (unpack && !item.isDirectory) {
    const done = await files.unpack({ root: fromRoot, path: item.path }, to, op.dest, owner);
    if (done) return;
  }
  if (op.parents) await copyParents(job, tree, item);
  const excluded = exclusions(op, tree, item.place);
  const finalOwner = owner ?? tree.owner;
  const request: CopyRequest = {
    fromRoot,
    fromPath: item.path,
    toRoot: to,
    toPath: targetOf(job, item),
    parents: owner ?? ROOT,
    signal,
    ...(finalOwner ? { owner: finalOwner } : {}),
    ...(excluded ? { excluded } : {}),
    ...modeOf(op),
  };
  await files.copy(request);
}

function modeOf(op: CopyOp): Pick<CopyRequest, 'chmod'> {
  const chmod = op.chmod === undefined ? undefined : parseModeChange(op.chmod);
  return chmod === undefined ? {} : { chmod };
}

/** A directory's content goes into the destination; a file goes below it when that is a directory. */
function targetOf({ op, destIsDirectory }: CopyJob, { path, isDirectory, below }: Selected): string {
  if (op.parents) return posix.join(op.dest, below);
  if (isDirectory || !destIsDirectory) return op.dest;
  return posix.join(op.dest, posix.basename(path));
}

/** With `--parents`, the folders above a source are made as they are at the source. */
async function copyParents(
  { op, files, to, owner }: CopyJob,
  tree: OpenTree,
  { path, below }: Selected,
): Promise<void> {
  const above = path.slice(0, path.length - below.length);
  const parts = below.split('/').slice(0, -1);
  for (let count = 1; count <= parts.length; count++) {
    const folder = parts.slice(0, count).join('/');
    const info = await files.stat(tree.root!, above + folder);
    const { uid, gid } = owner ?? tree.owner ?? info ?? ROOT;
    await files.makeDirectory(to, posix.join(op.dest, folder), { uid, gid, mode: info?.mode ?? 0o755 });
  }
}

async function writeInline(job: CopyJob, { name, content }: InlineFile, epoch: number | undefined): Promise<void> {
  const { op, files, to, destIsDirectory } = job;
  const owner = job.owner ?? ROOT;
  const target = destIsDirectory ? posix.join(op.dest, name) : op.dest;
  const { chmod } = modeOf(op);
  const mode = typeof chmod === 'function' ? chmod(INLINE_MODE, false) : (chmod ?? INLINE_MODE);
  await files.makeDirectory(to, posix.dirname(target), { ...owner, mode: 0o755 });
  await files.writeFile(to, target, Buffer.from(content), {
    ...owner,
    mode,
    ...(epoch === undefined ? {} : { mtime: epoch }),
  });
}

/** What the ignore file and `--exclude` leave out. Patterns of `--exclude` are relative to the source directory. */
function exclusions(op: CopyOp, tree: OpenTree, source: string): Excluded | undefined {
  if (op.excludes.length === 0) return tree.excluded;
  const matcher = createIgnoreMatcher(op.excludes.map((pattern) => ignorePattern(pattern)));
  const prefix = source === '' ? '' : `${source}/`;
  return (path, isDirectory) => {
    const hidden = tree.excluded?.(path, isDirectory) ?? false;
    if (hidden !== false) return hidden;
    const relative = path.startsWith(prefix) ? path.slice(prefix.length) : path;
    if (path === source || !matcher.ignores(relative)) return false;
    return isDirectory && matcher.canSkipDirectory(relative) ? 'subtree' : true;
  };
}
