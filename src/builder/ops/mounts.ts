import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import type { ExecMount, ExecOp, TreeSource } from '../plan/graph.ts';
import type { StepMount } from '../ports.ts';
import type { KeyInputs } from '../solve/key.ts';
import { cleanPath } from './select.ts';
import { openTree, type StepEnv, withTree } from './step-env.ts';

type BindMount = Extract<ExecMount, { type: 'bind' }>;
const ROOT = { uid: 0, gid: 0 };

/** Mounts of a step, made on this machine, and how to undo them. */
export interface OpenMounts {
  readonly mounts: readonly StepMount[];
  release(): Promise<void>;
}

/** Key inputs of what bind mounts show: the content of what is selected, not where it came from. */
export async function mountedContent(env: StepEnv, op: ExecOp, signal: AbortSignal): Promise<KeyInputs> {
  const inputs: Record<string, string> = {};
  for (const mount of op.mounts) {
    if (mount.type !== 'bind') continue;
    inputs[`tree ${mount.target}`] = await withTree(env, mount.from, async (tree) => {
      if (tree.root === null) return 'empty';
      const path = cleanPath(mount.source);
      if (!(await env.ports.files.stat(tree.root, path))) throw missing(mount);
      const { digest } = await env.ports.files.digest({
        root: tree.root,
        path,
        statCache: tree.isContext,
        signal,
        ...(tree.excluded ? { excluded: tree.excluded } : {}),
        ...(tree.owner ? { owner: tree.owner } : {}),
      });
      return digest;
    });
  }
  return inputs;
}

/** Makes the mounts ready. Undoes what it did when one fails. */
export async function openMounts(env: StepEnv, mounts: readonly ExecMount[], signal: AbortSignal): Promise<OpenMounts> {
  const opened: StepMount[] = [];
  const undo: (() => Promise<void>)[] = [];
  const release = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    for (const mount of mounts) {
      if (mount.type === 'tmpfs') opened.push(mount);
      else {
        const made = mount.type === 'script' ? await openScript(env, mount) : await openBind(env, mount, signal);
        undo.push(made.release);
        opened.push({
          type: 'bind',
          source: made.path,
          target: mount.target,
          readonly: mount.type === 'script' || mount.readonly,
        });
      }
    }
    return { mounts: opened, release };
  } catch (error) {
    await release();
    throw error;
  }
}

interface OpenBind {
  readonly path: string;
  readonly release: () => Promise<void>;
}

async function openScript(env: StepEnv, { file }: Extract<ExecMount, { type: 'script' }>): Promise<OpenBind> {
  const { snapshots, files } = env.ports;
  const root = await snapshots.prepare(`mount-${randomUUID()}`, null);
  const release = () => snapshots.discard(root);
  try {
    await files.makeDirectory(root.path, posix.dirname(file.name), { ...ROOT, mode: 0o755 });
    await files.writeFile(root.path, file.name, Buffer.from(file.content), { ...ROOT, mode: 0o755 });
    return { path: root.path, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function openBind(env: StepEnv, mount: BindMount, signal: AbortSignal): Promise<OpenBind> {
  const isHidden = mount.from.kind === 'context' && env.context?.excluded !== undefined;
  if (mount.readonly && !isHidden && mount.from.kind !== 'empty') return openReadonly(env, mount);
  return openPrivate(env, mount, signal);
}

async function openReadonly(env: StepEnv, mount: BindMount): Promise<OpenBind> {
  const tree = await openTree(env, mount.from);
  try {
    if (tree.root === null) throw missing(mount);
    return { path: await placeOf(env, tree.root, mount), release: () => tree.release() };
  } catch (error) {
    await tree.release();
    throw error;
  }
}

/** A tree of its own: what the step writes is dropped with it, and the ignore file is honoured. */
async function openPrivate(env: StepEnv, mount: BindMount, signal: AbortSignal): Promise<OpenBind> {
  const { snapshots, files } = env.ports;
  const chain = parentOf(env, mount.from);
  const root = await snapshots.prepare(`mount-${randomUUID()}`, chain);
  const release = () => snapshots.discard(root);
  try {
    if (mount.from.kind === 'context') {
      if (!env.context) throw missing(mount);
      const path = cleanPath(mount.source);
      const { excluded } = env.context;
      await files.copy({
        fromRoot: env.context.root,
        fromPath: path,
        toRoot: root.path,
        toPath: path,
        owner: ROOT,
        signal,
        ...(excluded ? { excluded } : {}),
      });
    }
    return { path: await placeOf(env, root.path, mount), release };
  } catch (error) {
    await release();
    throw error;
  }
}

function parentOf(env: StepEnv, from: TreeSource) {
  return from.kind === 'node' ? env.chainOf(from.node) : null;
}

async function placeOf(env: StepEnv, root: string, mount: BindMount): Promise<string> {
  const path = cleanPath(mount.source);
  if (!(await env.ports.files.stat(root, path))) throw missing(mount);
  return posix.join(root, await env.ports.files.resolve(root, path));
}

function missing(mount: BindMount): BerthError {
  const place = mount.from.kind === 'context' ? 'the build context' : 'what it mounts from';
  return new BerthError('not-found', `${mount.source} of the mount at ${mount.target} is not in ${place}`);
}
