import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import type { BindMount, ExecMount, ExecOp, TreeSource } from '../plan/graph.ts';
import type { Opened, StepMount } from '../ports.ts';
import type { KeyInputs } from '../solve/key.ts';
import { openCache } from './cache-mount.ts';
import { lentAgent, lentSecret } from './lent.ts';
import { cleanPath } from './select.ts';
import { openTree, type StepEnv, withTree } from './step-env.ts';

const ROOT = { uid: 0, gid: 0 };

/** Mounts of a step, made on this machine, and how to undo them. */
export interface OpenMounts {
  readonly mounts: readonly StepMount[];
  /** `NAME=value` that come with them. */
  readonly env: readonly string[];
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
  const undo: (() => Promise<void>)[] = [];
  const variables: string[] = [];
  const release = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  const opening: Opening = {
    env,
    signal,
    keep: (opened) => {
      undo.push(() => opened.release());
      return opened.path;
    },
    variable: (entry) => void variables.push(entry),
  };
  try {
    const opened = new Map<ExecMount, StepMount | undefined>();
    for (const mount of inLockOrder(mounts)) opened.set(mount, await openMount(opening, mount));
    return { mounts: mounts.flatMap((mount) => opened.get(mount) ?? []), env: variables, release };
  } catch (error) {
    await release();
    throw error;
  }
}

interface Opening {
  readonly env: StepEnv;
  readonly signal: AbortSignal;
  /** Has it released with the others. @returns its path */
  readonly keep: (opened: Opened) => string;
  readonly variable: (entry: string) => void;
}

/** Two steps that lock the same caches take them in the same order, so that neither waits for the other. */
function inLockOrder(mounts: readonly ExecMount[]): ExecMount[] {
  const idOf = (mount: ExecMount) => (mount.type === 'cache' ? mount.id : '');
  return mounts.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : idOf(a) > idOf(b) ? 1 : 0));
}

/** @returns undefined when there is nothing to mount */
async function openMount(opening: Opening, mount: ExecMount): Promise<StepMount | undefined> {
  const { env, signal, keep, variable } = opening;
  switch (mount.type) {
    case 'tmpfs':
      return mount;
    case 'script':
      return bind(keep(await openScript(env, mount)), mount.target, true);
    case 'bind':
      return bind(keep(await openBind(env, mount, signal)), mount.target, mount.readonly);
    case 'cache':
      return bind(keep(await openCache(env, mount, signal)), mount.target, mount.readonly);
    case 'secret': {
      const content = lentSecret(env, mount);
      if (!content) return undefined;
      if (mount.env !== undefined) variable(`${mount.env}=${Buffer.from(content).toString('utf8')}`);
      const { target, mode, uid, gid } = mount;
      return target === undefined ? undefined : { type: 'file', target, content, mode, uid, gid };
    }
    case 'ssh': {
      const agent = lentAgent(env, mount);
      if (agent === undefined) return undefined;
      variable(`SSH_AUTH_SOCK=${mount.target}`);
      return bind(keep(await env.ports.agents.open(agent, mount)), mount.target, false);
    }
  }
}

function bind(source: string, target: string, readonly: boolean): StepMount {
  return { type: 'bind', source, target, readonly };
}

async function openScript(env: StepEnv, { file }: Extract<ExecMount, { type: 'script' }>): Promise<Opened> {
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

async function openBind(env: StepEnv, mount: BindMount, signal: AbortSignal): Promise<Opened> {
  const isHidden = mount.from.kind === 'context' && env.context?.excluded !== undefined;
  if (mount.readonly && !isHidden && mount.from.kind !== 'empty') return openReadonly(env, mount);
  return openPrivate(env, mount, signal);
}

async function openReadonly(env: StepEnv, mount: BindMount): Promise<Opened> {
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
async function openPrivate(env: StepEnv, mount: BindMount, signal: AbortSignal): Promise<Opened> {
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
