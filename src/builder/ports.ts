import type { ChainId, DiffId, Digest, ImageConfig, ImageId, Platform } from '../oci/index.ts';

/** What the builder needs from the machine. `daemon` supplies adapters; tests supply fakes. */
export interface BuilderPorts {
  readonly snapshots: Snapshots;
  readonly files: RootFiles;
  readonly runner: StepRunner;
  readonly images: BuildImages;
  readonly records: StepRecords;
  readonly caches: CacheFolders;
  readonly agents: AgentSockets;
  readonly remotes: RemoteFiles;
}

/** One committed layer. */
export interface Layer {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  /** Bytes of file content in the layer. */
  readonly sizeBytes: number;
}

/** A mounted, writable root: the parent's files below, a private upper directory above. */
export interface WritableRoot {
  readonly id: string;
  /** Absolute path of the merged tree on this machine. */
  readonly path: string;
  readonly parent: ChainId | null;
}

export interface Snapshots {
  /** Bytes that new layers may still take; 0 when the disk counts as full. */
  freeBytes(): number;
  has(chain: ChainId): Promise<boolean>;
  /** Mounts a new writable root on `parent` (null: empty). `id` is unique; the caller commits or discards it. */
  prepare(id: string, parent: ChainId | null): Promise<WritableRoot>;
  /**
   * Mounts a committed layer read-only. Several callers may view one chain at once.
   * @returns path, and a release that may be called twice
   */
  view(chain: ChainId): Promise<{ readonly path: string; release(): Promise<void> }>;
  /** Turns the root's changes into a layer, unmounts it, and makes it durable. Committing equal content twice is fine. */
  commit(root: WritableRoot, options?: { readonly clampMtime?: number }): Promise<Layer>;
  /** The same content on another parent, cheaply. */
  restack(chain: ChainId, parent: ChainId | null): Promise<Layer>;
  /** Unmounts and deletes. Idempotent. */
  discard(root: WritableRoot): Promise<void>;
}

export interface FileInfo {
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

/** Numeric owner that copied files get. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * True leaves a path out but still looks below a directory for what is kept; `'subtree'` leaves out all below it, too
 * (what an ignore file without exceptions allows: it is much faster).
 */
export type Excluded = (path: string, isDirectory: boolean) => boolean | 'subtree';

export interface CopyRequest {
  /** Tree that is read. Paths are resolved inside it: no symlink leads out. */
  readonly fromRoot: string;
  /** Relative to `fromRoot`, `''` or `.` for the root itself. */
  readonly fromPath: string;
  readonly toRoot: string;
  /** Final path within `toRoot` (not its parent). A directory source is merged into it. */
  readonly toPath: string;
  /** Owner of everything copied; keeps the source's when absent. */
  readonly owner?: Owner;
  /** Permission change: a number sets the bits, a function maps (mode, isDirectory). */
  readonly chmod?: number | ((mode: number, isDirectory: boolean) => number);
  /** What must not be copied, by path relative to `fromRoot`. */
  readonly excluded?: Excluded;
  /** Mode, owner and time of parent directories that have to be made. Default 0755, 0:0. */
  readonly parents?: Owner & { readonly mode?: number };
  readonly signal?: AbortSignal;
}

export interface DigestRequest {
  readonly root: string;
  readonly path: string;
  readonly excluded?: Excluded;
  /** Owner that counts instead of the files' own (context files come as 0:0). */
  readonly owner?: Owner;
  /** Remember content hashes by inode, size, mtime and ctime between calls. For trees that others change (contexts). */
  readonly statCache?: boolean;
  readonly signal?: AbortSignal;
}

export interface TreeDigest {
  readonly digest: Digest;
  readonly files: number;
  readonly sizeBytes: number;
  /** Digest of each path below the one asked for (`''` is itself), when there are few: names what changed. */
  readonly entries?: Readonly<Record<string, string>>;
}

/** File operations inside a root whose content is hostile: every path is resolved within it. */
export interface RootFiles {
  /** Follows symlinks within the root unless `follow` is false. Undefined when nothing is there. */
  stat(root: string, path: string, options?: { readonly follow?: boolean }): Promise<FileInfo | undefined>;
  /** Where `path` really is, relative to the root (symlinks of all existing components followed). */
  resolve(root: string, path: string): Promise<string>;
  /** Reads at most `maxBytes` of a regular file. Undefined when there is none. */
  readFile(root: string, path: string, maxBytes: number): Promise<Buffer | undefined>;
  writeFile(
    root: string,
    path: string,
    content: Uint8Array,
    attributes: Owner & { readonly mode: number; readonly mtime?: number },
  ): Promise<void>;
  /** `mkdir -p`: new directories get the attributes, existing ones are left alone. */
  makeDirectory(root: string, path: string, attributes: Owner & { readonly mode: number }): Promise<void>;
  copy(request: CopyRequest): Promise<void>;
  /** Unpacks a tar (plain, gzip, zstd) that lies at `archive` into a directory; false when the file is no archive. */
  unpack(
    archive: { readonly root: string; readonly path: string },
    toRoot: string,
    toPath: string,
    owner?: Owner,
  ): Promise<boolean>;
  /** All paths below `path`, sorted, relative to the root, as needed for globs and for "did you mean". */
  list(
    root: string,
    path: string,
    options?: { readonly depth?: number },
  ): Promise<readonly { readonly path: string; readonly isDirectory: boolean }[]>;
  /**
   * Content digest of a file or tree: per file type, mode, uid, gid, size, link target, device, xattrs
   * (security.capability and those outside security. and system.) and bytes, with names; never times.
   * @see BuildKit cache/contenthash
   */
  digest(request: DigestRequest): Promise<TreeDigest>;
}

export interface RunStep {
  readonly id: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** As in USER: name or number, with optional group; looked up in the root's own passwd. */
  readonly user: string;
  readonly hostname: string;
  readonly network: 'default' | 'host' | 'none';
  readonly mounts: readonly StepMount[];
  readonly privileged: boolean;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  readonly signal: AbortSignal;
}

export type StepMount =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readonly: boolean }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  /** A read-only file that is in memory only: a secret. */
  | (Owner & { readonly type: 'file'; readonly target: string; readonly content: Uint8Array; readonly mode: number });

/** Folders of `RUN --mount=type=cache`: they stay between builds. */
export interface CacheFolders {
  /**
   * Opens the folder of an id, and makes it when there is none, or none that may be used now. `shared`: others may use
   * it at the same time; `private`: nobody else, a second folder is made; `locked`: nobody else, this waits.
   */
  open(request: CacheFolderRequest): Promise<Opened>;
}

export interface CacheFolderRequest extends Owner {
  readonly id: string;
  readonly sharing: 'shared' | 'private' | 'locked';
  readonly mode: number;
  readonly signal: AbortSignal;
  /** Writes the first content. What it leaves when it throws is deleted. */
  readonly fill?: (folder: string) => Promise<void>;
}

/** Sockets of `RUN --mount=type=ssh`. */
export interface AgentSockets {
  /** A socket that leads to `agent` while it is open, with its own owner and mode. */
  open(agent: string, attributes: Owner & { readonly mode: number }): Promise<Opened>;
}

/** A path on this machine, until it is released. Releasing twice is fine. */
export interface Opened {
  readonly path: string;
  release(): Promise<void>;
}

/** What ADD fetches from elsewhere. */
export interface RemoteFiles {
  /** Asks for a URL. The caller saves or closes what it gets. @throws BerthError */
  web(url: string, options: WebOptions): Promise<WebFile>;
  /** The id of the commit that a ref stands for now. @throws BerthError */
  commitOf(repository: GitRepository, options: { readonly signal: AbortSignal }): Promise<string>;
  /** Writes the files of a commit into an empty folder. @throws BerthError */
  checkOut(repository: GitRepository, commit: string, options: CheckOutOptions): Promise<void>;
}

export interface WebOptions {
  readonly signal: AbortSignal;
  /** Authorization header for a host; a redirect to another one does not take it along. */
  readonly authorization?: (host: string) => string | undefined;
}

export interface WebFile {
  /** What the server calls this version of the file; empty when it does not tell. */
  readonly version: string;
  /** Saves the file with mode 0600 and the time that the server told; at most `maxBytes`. */
  save(path: string, maxBytes: number): Promise<{ readonly digest: Digest }>;
  close(): void;
}

export interface GitRepository {
  readonly remote: string;
  /** Branch, tag or commit; empty for the default branch. */
  readonly ref: string;
  /** Authorization header for the remote's own host. */
  readonly authorization?: string | undefined;
}

export interface CheckOutOptions {
  readonly folder: string;
  /** Only what lies below; empty for all. */
  readonly subDir: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  /** Files get the time of the commit, not of the checkout. */
  readonly commitTimes: boolean;
  readonly signal: AbortSignal;
}

/** Runs one command in a container on a mounted root. Everything that it made on the host is gone when it returns. */
export interface StepRunner {
  /** @returns exit code of the command (128+n for a signal). @throws BerthError when it could not be started; AbortError */
  run(step: RunStep, root: WritableRoot): Promise<number>;
}

export interface BaseImage {
  readonly id: ImageId;
  readonly config: ImageConfig;
  /** Chain id of the whole image, null when it has no layer. */
  readonly chain: ChainId | null;
}

export interface FindOptions {
  readonly platform: Platform;
  readonly signal: AbortSignal;
  /** Called with each line that tells how far fetching is. */
  readonly onProgress: (line: string) => void;
}

/** Images as the builder sees them. Names are canonical references. */
export interface BuildImages {
  /**
   * An adapter that can reach registries fetches what is missing.
   * @throws BerthError telling why it could not
   */
  find(name: string, options?: FindOptions): Promise<BaseImage | undefined>;
  /** Stores a config whose layers are committed and points the names at it, names last. */
  put(config: ImageConfig, names: readonly string[]): Promise<ImageId>;
  /** Names in the store, for "did you mean". */
  names(): Promise<readonly string[]>;
}

/** A step's key with the named inputs that it was made of, so that a miss can be explained. */
export interface StepKey {
  readonly digest: Digest;
  /** Name (`parent`, `command`, `env.PATH`, `file src/a.ts`) to digest or short value. */
  readonly inputs: Readonly<Record<string, string>>;
}

export interface StepRecord {
  readonly key: StepKey;
  /** What the step is, so that the record of an earlier run of it can be found: Dockerfile stage and position. */
  readonly slot: string;
  readonly layer: Layer;
  readonly createdAt: string;
}

export interface StepRecords {
  get(key: Digest): Promise<StepRecord | undefined>;
  /** The newest record of the same slot: what to compare a missed key with. */
  latest(slot: string): Promise<StepRecord | undefined>;
  put(record: StepRecord): Promise<void>;
}
