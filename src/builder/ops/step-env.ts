import type { ChainId } from '../../oci/index.ts';
import type { NodeId, TreeSource } from '../plan/graph.ts';
import type { BuilderPorts, Excluded, Owner } from '../ports.ts';
import type { BuildContext } from './source-local.ts';

/** What steps of one build work with. */
export interface StepEnv {
  readonly ports: BuilderPorts;
  readonly context: BuildContext | null;
  /** Results of the nodes that a step reads; they are made before the step. */
  readonly chainOf: (node: NodeId) => ChainId | null;
  readonly proxyEnvironment: readonly string[];
  /** Seconds; sets the time of files that the builder itself makes. */
  readonly epoch: number | undefined;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** Sockets of agents, by id. */
  readonly agents: ReadonlyMap<string, string>;
}

/** A tree of files that a step reads. `root` is null when there is nothing in it. */
export interface OpenTree {
  readonly root: string | null;
  readonly isContext: boolean;
  readonly excluded: Excluded | undefined;
  /** Files of a context count as root's, whoever runs the build. */
  readonly owner: Owner | undefined;
  release(): Promise<void>;
}

const ROOT: Owner = { uid: 0, gid: 0 };

/** Opens a tree for reading; the caller releases it. A missing context is an empty tree: selection reports it. */
export async function openTree(env: StepEnv, source: TreeSource): Promise<OpenTree> {
  const nothing = { root: null, isContext: false, excluded: undefined, owner: undefined, release: async () => {} };
  if (source.kind === 'empty') return nothing;
  if (source.kind === 'context') {
    const { root = null, excluded } = env.context ?? {};
    return { ...nothing, root, isContext: true, excluded, owner: ROOT };
  }
  const chain = env.chainOf(source.node);
  if (chain === null) return nothing;
  const view = await env.ports.snapshots.view(chain);
  return { ...nothing, root: view.path, release: () => view.release() };
}

/** Opens a tree for the time of some work. */
export async function withTree<T>(env: StepEnv, source: TreeSource, work: (tree: OpenTree) => Promise<T>): Promise<T> {
  const tree = await openTree(env, source);
  try {
    return await work(tree);
  } finally {
    await tree.release();
  }
}
