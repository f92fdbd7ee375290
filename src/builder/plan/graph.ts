import type { Span } from '../../diagnostics/index.ts';
import { type ChainId, canonicalJson, type Digest, type ImageId, sha256 } from '../../oci/index.ts';

/** Digest of a step's definition with the ids of its inputs. Equal steps of one build are one node. */
export type NodeId = Digest;

/** Where COPY and bind mounts read: the build context, the result of a node, or nothing (`scratch`). */
export type TreeSource =
  | { readonly kind: 'context' }
  | { readonly kind: 'node'; readonly node: NodeId }
  | { readonly kind: 'empty' };

export interface SourceImageOp {
  readonly kind: 'source-image';
  readonly name: string;
  readonly image: ImageId;
  readonly chain: ChainId | null;
}

export interface SourceLocalOp {
  readonly kind: 'source-local';
}

/** A file of a URL: ADD reads it. */
export interface SourceHttpOp {
  readonly kind: 'source-http';
  readonly url: string;
  /** What the file is called. */
  readonly name: string;
  readonly checksum?: Digest;
}

/** A folder of a git repository: ADD reads it. */
export interface SourceGitOp {
  readonly kind: 'source-git';
  readonly remote: string;
  /** Branch, tag or commit; empty for the default branch. */
  readonly ref: string;
  /** What the commit's id must begin with; empty when any will do. */
  readonly checksum: string;
  readonly subDir: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  readonly commitTimes: boolean;
}

export type RemoteOp = SourceHttpOp | SourceGitOp;

interface OwnedMount {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A folder that stays between builds. */
export interface CacheMount extends OwnedMount {
  readonly type: 'cache';
  readonly id: string;
  readonly target: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly readonly: boolean;
  /** Where its first content comes from. */
  readonly from: TreeSource;
  readonly source: string;
}

/** A value that the caller of the build gives. It is in no key, no layer and no event. */
export interface SecretMount extends OwnedMount {
  readonly type: 'secret';
  readonly id: string;
  /** A file; absent when it is wanted as a variable only. */
  readonly target?: string;
  readonly env?: string;
  readonly required: boolean;
}

/** The socket of an agent that the caller of the build lends. */
export interface SshMount extends OwnedMount {
  readonly type: 'ssh';
  readonly id: string;
  readonly target: string;
  readonly required: boolean;
}

export interface BindMount {
  readonly type: 'bind';
  readonly from: TreeSource;
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
}

export type ExecMount =
  | BindMount
  | CacheMount
  | SecretMount
  | SshMount
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  /** A folder with one program in it, mounted read-only: the body of a RUN heredoc that starts with `#!`. */
  | { readonly type: 'script'; readonly target: string; readonly file: InlineFile };

export interface ExecOp {
  readonly kind: 'exec';
  readonly parent: NodeId | null;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly network: 'default' | 'host' | 'none';
  readonly mounts: readonly ExecMount[];
  readonly platform: string;
  /** Rights beyond a sandbox that the Dockerfile asks for; the caller must have allowed them. */
  readonly entitlements: readonly Entitlement[];
  /** Devices by their CDI names, as written. */
  readonly devices: readonly string[];
}

export const entitlements = ['network.host', 'security.insecure'] as const;
export type Entitlement = (typeof entitlements)[number];

export interface InlineFile {
  readonly name: string;
  readonly content: string;
}

export interface CopyOp {
  readonly kind: 'copy';
  readonly parent: NodeId | null;
  readonly from: TreeSource;
  /** Paths within `from`. */
  readonly sources: readonly string[];
  /** Sources from elsewhere. */
  readonly remotes: readonly RemoteSource[];
  readonly inline: readonly InlineFile[];
  /** Absolute; a trailing `/` says that it is a directory. */
  readonly dest: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly parents: boolean;
  readonly excludes: readonly string[];
  /** Archives of the context are unpacked (ADD). */
  readonly unpack: boolean;
  /** Archives from a URL are unpacked (ADD --unpack). */
  readonly unpackRemote: boolean;
  /** Made on nothing, then put on the parent: a changed parent changes nothing in it (`--link`). */
  readonly link: boolean;
}

export interface RemoteSource {
  readonly node: NodeId;
  /** How many of the `sources` come before it. */
  readonly before: number;
  /** The file's name; empty for a folder, whose content is copied. */
  readonly name: string;
}

/** WORKDIR. */
export interface MkdirOp {
  readonly kind: 'mkdir';
  readonly parent: NodeId | null;
  readonly path: string;
  readonly user: string;
}

export type StepOp = ExecOp | CopyOp | MkdirOp;
export type Op = SourceImageOp | SourceLocalOp | RemoteOp | StepOp;
export type Node = Op & { readonly inputs: readonly NodeId[] };

/** What people see of a node. None of it is in the node's id. */
export interface Display {
  /** As `[build 2/4] RUN make`. */
  readonly name: string;
  /** The instruction's place; absent for internal steps. */
  readonly span?: Span;
  /** Places of `CopyOp.sources`, in order. */
  readonly sourceSpans?: readonly Span[];
  /** Finds the record of an earlier run of this place in the Dockerfile. */
  readonly slot: string;
}

export interface BuildGraph {
  readonly nodes: ReadonlyMap<NodeId, Node>;
  readonly display: ReadonlyMap<NodeId, Display>;
}

/** Collects nodes; the first display of a node stays. */
export class GraphBuilder implements BuildGraph {
  readonly nodes = new Map<NodeId, Node>();
  readonly display = new Map<NodeId, Display>();

  add(op: Op, display: Display): NodeId {
    const id = sha256(canonicalJson(op));
    if (!this.nodes.has(id)) {
      this.nodes.set(id, { ...op, inputs: inputsOf(op) });
      this.display.set(id, display);
    }
    return id;
  }

  /** Names a node once the number of steps of its stage is known. The first stage that has it names it. */
  rename(id: NodeId, name: string, span: Span): void {
    const display = this.display.get(id);
    if (display && !display.name.startsWith('[')) this.display.set(id, { ...display, name, span });
  }
}

/** The node that stands for the build context. */
export const CONTEXT_OP: SourceLocalOp = { kind: 'source-local' };

function inputsOf(op: Op): NodeId[] {
  const inputs: NodeId[] = [];
  const add = (id: NodeId | null) => {
    if (id !== null && !inputs.includes(id)) inputs.push(id);
  };
  const addTree = (tree: TreeSource) => {
    if (tree.kind === 'node') add(tree.node);
    if (tree.kind === 'context') add(sha256(canonicalJson(CONTEXT_OP)));
  };
  if ('parent' in op) add(op.parent);
  if (op.kind === 'copy' && (op.sources.length > 0 || op.from.kind === 'node')) addTree(op.from);
  if (op.kind === 'copy') for (const { node } of op.remotes) add(node);
  if (op.kind === 'exec') for (const tree of mountedTrees(op)) addTree(tree);
  return inputs;
}

/** The trees that a command's mounts show, or begin with. */
export function mountedTrees({ mounts }: ExecOp): TreeSource[] {
  return mounts.flatMap((mount) => (mount.type === 'bind' || mount.type === 'cache' ? [mount.from] : []));
}

/** The nodes that a result needs, inputs before their users. */
export function reachable(graph: BuildGraph, heads: readonly (NodeId | null)[]): NodeId[] {
  const order: NodeId[] = [];
  const seen = new Set<NodeId>();
  const visit = (id: NodeId): void => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const input of graph.nodes.get(id)?.inputs ?? []) visit(input);
    order.push(id);
  };
  for (const head of heads) if (head !== null) visit(head);
  return order;
}
