import { posix } from 'node:path';
import type {
  BaseImage,
  BuilderPorts,
  BuildImages,
  CacheFolders,
  CopyRequest,
  DigestRequest,
  FileInfo,
  Layer,
  RemoteFiles,
  RootFiles,
  RunStep,
  Snapshots,
  StepRecord,
  StepRecords,
  WritableRoot,
} from '../../src/builder/index.ts';
import { BerthError } from '../../src/errors/index.ts';
import {
  type ChainId,
  canonicalJson,
  chainId,
  type DiffId,
  type Digest,
  hexOf,
  type ImageConfig,
  type ImageId,
  sha256,
} from '../../src/oci/index.ts';

export interface FakeEntry {
  readonly type: 'file' | 'directory';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly content: string;
}

/** Paths without a leading slash; the root itself is not in it. */
export type FakeTree = Map<string, FakeEntry>;

/** A tree of `{ 'src/a.ts': 'text' }`; parents are made, a name that ends in `/` is an empty directory. */
export function tree(files: Readonly<Record<string, string>>, owner = { uid: 0, gid: 0 }): FakeTree {
  const made: FakeTree = new Map();
  for (const [path, content] of Object.entries(files)) {
    const clean = path.replace(/\/$/, '');
    addParents(made, clean, { ...owner, mode: 0o755 });
    const type = path.endsWith('/') ? 'directory' : 'file';
    made.set(clean, { type, mode: type === 'file' ? 0o644 : 0o755, ...owner, content });
  }
  return made;
}

const FETCHED = { type: 'file', mode: 0o600, uid: 0, gid: 0 } as const;

/** A machine in memory: trees by the path of their root, snapshots, records and images. */
export class FakeMachine {
  readonly trees = new Map<string, FakeTree>();
  readonly layers = new Map<ChainId, FakeTree>();
  readonly open = new Set<string>();
  readonly steps: RunStep[] = [];
  readonly recordsByKey = new Map<Digest, StepRecord>();
  readonly latestBySlot = new Map<string, StepRecord>();
  readonly stored = new Map<string, BaseImage>();
  /** What ADD can fetch, by URL. */
  readonly web = new Map<string, string>();
  /** What happened, in order: `commit`, `record`, `image`, `mount`. */
  readonly log: string[] = [];
  /** What RUN does. Default: nothing, exit code 0. */
  command: (step: RunStep, files: FakeTree) => Promise<number> | number = () => 0;

  readonly ports: BuilderPorts = {
    snapshots: this.#snapshots(),
    files: this.#files(),
    runner: { run: async (step, root) => this.#run(step, root) },
    images: this.#images(),
    records: this.#records(),
    caches: this.#caches(),
    agents: { open: async (agent) => ({ path: `/agents${agent}`, release: async () => {} }) },
    remotes: this.#remotes(),
  };

  addContext(root: string, files: Readonly<Record<string, string>>): void {
    this.trees.set(root, tree(files, { uid: 1000, gid: 1000 }));
  }

  /** Stores an image of one layer. */
  addImage(name: string, files: Readonly<Record<string, string>>, config: Partial<ImageConfig> = {}): BaseImage {
    const content = tree(files);
    const chain = this.#layerOf(content, null).chainId;
    const full: ImageConfig = {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [chain as Digest as DiffId] },
      ...config,
    };
    const image = { id: sha256(canonicalJson(full)) as ImageId, config: full, chain };
    this.stored.set(name, image);
    return image;
  }

  /** The files of a built image. */
  filesOf(config: ImageConfig): FakeTree {
    const top = config.rootfs.diff_ids.reduce<ChainId | null>((parent, diff) => chainId(parent, diff), null);
    return top === null ? new Map() : this.layers.get(top)!;
  }

  async #run(step: RunStep, root: WritableRoot): Promise<number> {
    this.steps.push(step);
    this.log.push(`run ${step.argv.at(-1)}`);
    return this.command(step, this.trees.get(root.path)!);
  }

  #layerOf(content: FakeTree, parent: ChainId | null): Layer {
    const before = parent === null ? new Map() : this.layers.get(parent)!;
    const changed = [...content].filter(
      ([path, entry]) => canonicalJson(before.get(path) ?? null) !== canonicalJson(entry),
    );
    const diffId = sha256(canonicalJson(changed.sort())) as DiffId;
    const chain = chainId(parent, diffId);
    this.layers.set(chain, content);
    return { chainId: chain, diffId, sizeBytes: 0 };
  }

  #snapshots(): Snapshots {
    return {
      freeBytes: () => 1 << 30,
      has: async (chain) => this.layers.has(chain),
      prepare: async (id, parent) => {
        const path = `/roots/${id}`;
        this.trees.set(path, new Map(parent === null ? [] : this.layers.get(parent)!));
        this.open.add(id);
        return { id, path, parent };
      },
      view: async (chain) => {
        const path = `/views/${chain}`;
        this.trees.set(path, this.layers.get(chain)!);
        this.log.push('mount');
        return { path, release: async () => {} };
      },
      commit: async (root) => {
        this.open.delete(root.id);
        this.log.push('commit');
        return this.#layerOf(new Map(this.trees.get(root.path)), root.parent);
      },
      restack: async (chain, parent) => {
        this.log.push('restack');
        const below = parent === null ? new Map() : this.layers.get(parent)!;
        const stacked = this.#layerOf(new Map([...below, ...this.layers.get(chain)!]), parent);
        // Content decides the diff: it is the same one on every parent.
        const diffId = chain as Digest as DiffId;
        const moved = { ...stacked, diffId, chainId: chainId(parent, diffId) };
        this.layers.set(moved.chainId, this.layers.get(stacked.chainId)!);
        return moved;
      },
      discard: async (root) => {
        this.open.delete(root.id);
        this.trees.delete(root.path);
      },
    };
  }

  #images(): BuildImages {
    return {
      find: async (name) => this.stored.get(name),
      names: async () => [...this.stored.keys()],
      put: async (config, names) => {
        const id = sha256(canonicalJson(config)) as ImageId;
        const chain = config.rootfs.diff_ids.reduce<ChainId | null>((parent, diff) => chainId(parent, diff), null);
        for (const name of names) this.stored.set(name, { id, config, chain });
        this.log.push('image');
        return id;
      },
    };
  }

  #records(): StepRecords {
    return {
      get: async (key) => this.recordsByKey.get(key),
      latest: async (slot) => this.latestBySlot.get(slot),
      put: async (record) => {
        this.recordsByKey.set(record.key.digest, record);
        this.latestBySlot.set(record.slot, record);
        this.log.push('record');
      },
    };
  }

  #caches(): CacheFolders {
    return {
      open: async ({ id, fill }) => {
        const path = `/caches/${id}`;
        if (!this.trees.has(path)) {
          this.trees.set(path, new Map());
          await fill?.(path);
        }
        this.log.push(`open cache ${id}`);
        return { path, release: async () => void this.log.push(`release cache ${id}`) };
      },
    };
  }

  /** Serves `web`; every file is its own version. A repository is a URL whose content is the commit. */
  #remotes(): RemoteFiles {
    const at = (url: string): string => {
      const content = this.web.get(url);
      if (content === undefined) throw new BerthError('not-found', `${url} is not there`);
      return content;
    };
    const put = (path: string, content: string) =>
      this.trees.get(posix.dirname(path))!.set(posix.basename(path), { ...FETCHED, content });
    return {
      web: async (url) => {
        const content = at(url);
        this.log.push(`ask ${url}`);
        const save = async (path: string) => {
          this.log.push(`fetch ${url}`);
          put(path, content);
          return { digest: sha256(content) };
        };
        return { version: sha256(content), save, close: () => {} };
      },
      commitOf: async ({ remote }) => hexOf(sha256(at(remote))).slice(0, 40),
      checkOut: async ({ remote }, _commit, { folder }) => {
        this.log.push(`fetch ${remote}`);
        put(`${folder}/README`, at(remote));
      },
    };
  }

  #files(): RootFiles {
    const at = (root: string): FakeTree => {
      const found = this.trees.get(root);
      if (!found) throw new Error(`no such root: ${root}`);
      return found;
    };
    return {
      stat: async (root, path) => statOf(at(root), clean(path)),
      resolve: async (_root, path) => clean(path),
      readFile: async (root, path, maxBytes) => {
        const entry = at(root).get(clean(path));
        return entry?.type === 'file' ? Buffer.from(entry.content).subarray(0, maxBytes) : undefined;
      },
      writeFile: async (root, path, content, { uid, gid, mode }) => {
        at(root).set(clean(path), { type: 'file', mode, uid, gid, content: Buffer.from(content).toString() });
      },
      makeDirectory: async (root, path, attributes) => addParents(at(root), `${clean(path)}/x`, attributes),
      copy: async (request) => copyTree(at(request.fromRoot), at(request.toRoot), request),
      unpack: async ({ root, path }, toRoot, toPath, owner = { uid: 7, gid: 7 }) => {
        const { content } = at(root).get(clean(path))!;
        if (!content.startsWith('TAR ')) return false;
        addParents(at(toRoot), `${clean(toPath)}/x`, { uid: 0, gid: 0, mode: 0o755 });
        at(toRoot).set(clean(`${toPath}/${content.slice(4)}`), {
          type: 'file',
          mode: 0o600,
          ...owner,
          content: 'unpacked',
        });
        return true;
      },
      list: async (root, path, { depth = Number.POSITIVE_INFINITY } = {}) => {
        const start = clean(path);
        return [...at(root)]
          .filter(([name]) => isBelow(name, start) && depthBelow(name, start) <= depth)
          .map(([name, entry]) => ({ path: name, isDirectory: entry.type === 'directory' }))
          .sort((a, b) => (a.path < b.path ? -1 : 1));
      },
      digest: async (request) => digestOf(at(request.root), request),
    };
  }
}

function clean(path: string): string {
  return posix.normalize(`/${path}`).replace(/^\/+|\/+$/g, '');
}

function isBelow(path: string, folder: string): boolean {
  return folder === '' ? true : path.startsWith(`${folder}/`);
}

function depthBelow(path: string, folder: string): number {
  return path.split('/').length - (folder === '' ? 0 : folder.split('/').length);
}

function statOf(files: FakeTree, path: string): FileInfo | undefined {
  if (path === '') return { type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0 };
  const entry = files.get(path);
  return entry && { type: entry.type, mode: entry.mode, uid: entry.uid, gid: entry.gid, size: entry.content.length };
}

function addParents(files: FakeTree, path: string, attributes: { uid: number; gid: number; mode?: number }): void {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .slice(0, -1);
  parts.forEach((_, index) => {
    const folder = parts.slice(0, index + 1).join('/');
    const { uid, gid, mode = 0o755 } = attributes;
    if (!files.has(folder)) files.set(folder, { type: 'directory', mode, uid, gid, content: '' });
  });
}

function selected(
  files: FakeTree,
  request: Pick<CopyRequest & DigestRequest, 'excluded'>,
  start: string,
): [string, FakeEntry][] {
  const { excluded } = request;
  const kept = [...files].filter(
    ([path, entry]) => path !== start && isBelow(path, start) && !excluded?.(path, entry.type === 'directory'),
  );
  const own = files.get(start);
  return (own ? [[start, own] as [string, FakeEntry], ...kept] : kept).sort(([a], [b]) => (a < b ? -1 : 1));
}

function copyTree(from: FakeTree, to: FakeTree, request: CopyRequest): void {
  request.signal?.throwIfAborted();
  const start = clean(request.fromPath);
  const target = clean(request.toPath);
  addParents(to, target, request.parents ?? { uid: 0, gid: 0 });
  if (start === '') addParents(to, `${target}/x`, { uid: 0, gid: 0 });
  for (const [path, entry] of selected(from, request, start)) {
    const place = clean(`${target}/${path.slice(start.length)}`);
    const isDirectory = entry.type === 'directory';
    if (isDirectory && to.get(place)?.type === 'file')
      throw new BerthError('invalid', `cannot copy a directory onto ${place}`);
    if (isDirectory && to.has(place)) continue;
    const { chmod } = request;
    const mode = typeof chmod === 'function' ? chmod(entry.mode, isDirectory) : (chmod ?? entry.mode);
    addParents(to, place, { uid: 0, gid: 0 });
    to.set(place, { ...entry, mode, ...request.owner });
  }
}

function digestOf(files: FakeTree, request: DigestRequest) {
  const start = clean(request.path);
  const entries = selected(files, request, start).map(([path, entry]) => {
    const below = path.slice(start === '' ? 0 : start.length + 1);
    return [below, sha256(canonicalJson({ ...entry, ...request.owner }))] as const;
  });
  const digest = sha256(canonicalJson(entries));
  return {
    digest,
    files: entries.length,
    sizeBytes: 0,
    ...(entries.length <= 20 ? { entries: Object.fromEntries(entries) } : {}),
  };
}
