import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  createReadStream,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  lutimesSync,
  openSync,
  readlinkSync,
  readSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { BerthError } from '../../errors/index.ts';
import type { Digest } from '../../oci/index.ts';
import { O_PATH, openInRoot, pathOfFd } from '../linux/in-root.ts';
import type { CopyJob } from './copy.ts';
import { FileJobs } from './jobs.ts';
import { makeDirectories, openSource, resolveBelow } from './resolve.ts';
import { looksLikeArchive, unpackTar } from './unpack.ts';
import { type Excluded, type TreeEntry, walkTree } from './walk.ts';

/** Up to this many files, a tree's digest comes with the digest of each of them, so that a change can be named. */
const NAMED_FILES = 200;

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface RootFilesOptions {
  /** Folder of the stat cache. */
  readonly cacheFolder: string;
  /** Script of the worker thread (`files/worker.ts`, or its bundle). */
  readonly worker: string | URL;
}

/** File operations inside roots whose content is hostile. Satisfies the builder's `RootFiles` port. */
export class RootFiles {
  readonly #cacheFolder: string;
  readonly #jobs: FileJobs;

  constructor(options: RootFilesOptions) {
    this.#cacheFolder = options.cacheFolder;
    this.#jobs = new FileJobs(options.worker);
  }

  async stat(root: string, path: string, options: { readonly follow?: boolean } = {}) {
    const fd = openIfThere(root, path, O_PATH | (options.follow === false ? constants.O_NOFOLLOW : 0));
    if (fd === undefined) return undefined;
    try {
      return describe(fstatSync(fd));
    } finally {
      closeSync(fd);
    }
  }

  /** Follows the links of every component that exists; what does not exist is appended as written. */
  async resolve(root: string, path: string): Promise<string> {
    const rootFd = openInRoot(root, '', O_PATH | constants.O_DIRECTORY);
    try {
      return resolveBelow(rootFd, path);
    } finally {
      closeSync(rootFd);
    }
  }

  async readFile(root: string, path: string, maxBytes: number): Promise<Buffer | undefined> {
    // Non-blocking: a FIFO in the place of the file must not hang the engine.
    const fd = openIfThere(root, path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (fd === undefined) return undefined;
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return undefined;
      const content = Buffer.alloc(Math.min(stats.size, maxBytes));
      let length = 0;
      while (length < content.length) {
        const count = readSync(fd, content, length, content.length - length, null);
        if (count === 0) break;
        length += count;
      }
      return content.subarray(0, length);
    } finally {
      closeSync(fd);
    }
  }

  async writeFile(
    root: string,
    path: string,
    content: Uint8Array,
    attributes: Owner & { readonly mode: number; readonly mtime?: number },
  ) {
    const place = await this.resolve(root, path);
    const { parent, leaf } = splitPath(place);
    const fd = openInRoot(root, parent, O_PATH | constants.O_DIRECTORY);
    try {
      const target = `${pathOfFd(fd)}/${leaf}`;
      if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) {
        throw new BerthError('invalid', `cannot write a file onto the directory /${place}`);
      }
      rmSync(target, { force: true });
      const file = openSync(target, 'wx', 0o600);
      try {
        for (let at = 0; at < content.length; ) at += writeSync(file, content, at);
        fchownSync(file, attributes.uid, attributes.gid);
        fchmodSync(file, attributes.mode);
      } finally {
        closeSync(file);
      }
      if (attributes.mtime !== undefined) lutimesSync(target, attributes.mtime, attributes.mtime);
    } finally {
      closeSync(fd);
    }
  }

  async makeDirectory(root: string, path: string, attributes: Owner & { readonly mode: number }): Promise<void> {
    const place = await this.resolve(root, path);
    const rootFd = openInRoot(root, '', O_PATH | constants.O_DIRECTORY);
    try {
      makeDirectories(rootFd, place, attributes);
    } finally {
      closeSync(rootFd);
    }
  }

  async copy(request: {
    readonly fromRoot: string;
    readonly fromPath: string;
    readonly toRoot: string;
    readonly toPath: string;
    readonly owner?: Owner;
    readonly chmod?: number | ((mode: number, isDirectory: boolean) => number);
    readonly excluded?: Excluded;
    readonly parents?: Owner & { readonly mode?: number };
    readonly signal?: AbortSignal;
  }): Promise<void> {
    const source = openSource(request.fromRoot, request.fromPath);
    const toPath = await this.resolve(request.toRoot, request.toPath);
    const { parent, leaf } = splitPath(toPath);
    await this.makeDirectory(request.toRoot, parent, { uid: 0, gid: 0, mode: 0o755, ...request.parents });
    const directory = openInRoot(request.toRoot, parent, O_PATH | constants.O_DIRECTORY);
    try {
      const parentPath = readlinkSync(pathOfFd(directory));
      const job: CopyJob = {
        from: source.path,
        to: leaf === '' ? parentPath : `${parentPath}/${leaf}`,
        entries: [
          { path: '', kind: source.kind },
          ...(source.kind === 'directory' ? walkTree(source.path, request.excluded, source.place) : []),
        ],
        ...(request.owner ? { owner: request.owner } : {}),
        ...(request.chmod === undefined ? {} : { chmod: request.chmod }),
      };
      await this.#jobs.copy(job, request.signal);
    } finally {
      closeSync(directory);
    }
  }

  /** @returns false when the file is no archive */
  async unpack(
    archive: { readonly root: string; readonly path: string },
    toRoot: string,
    toPath: string,
    owner?: Owner,
  ): Promise<boolean> {
    const source = openSource(archive.root, archive.path);
    if (source.kind !== 'file' || !looksLikeArchive(source.path)) return false;
    await this.makeDirectory(toRoot, toPath, { uid: 0, gid: 0, mode: 0o755 });
    await unpackTar(
      createReadStream(source.path, { highWaterMark: 1 << 20 }),
      toRoot,
      await this.resolve(toRoot, toPath),
      owner,
    );
    return true;
  }

  /** Unpacks a tar stream below a folder: what a client sent as its build context. */
  async unpackStream(tar: AsyncIterable<Uint8Array>, toRoot: string): Promise<void> {
    await unpackTar(tar, toRoot, '');
  }

  async list(root: string, path: string, options: { readonly depth?: number } = {}) {
    const start = openSource(root, path);
    if (start.kind !== 'directory') return [];
    const depth = options.depth ?? Number.POSITIVE_INFINITY;
    const tooDeep: Excluded = (entry) => (relativeDepth(entry, start.place) > depth ? 'subtree' : false);
    return walkTree(start.path, tooDeep, start.place).map((entry) => ({
      path: start.place === '' ? entry.path : `${start.place}/${entry.path}`,
      isDirectory: entry.kind === 'directory',
    }));
  }

  /** @returns with `entries` (path to digest) when there are few files */
  async digest(request: {
    readonly root: string;
    readonly path: string;
    readonly excluded?: Excluded;
    readonly owner?: Owner;
    readonly statCache?: boolean;
    readonly signal?: AbortSignal;
  }): Promise<{ digest: Digest; files: number; sizeBytes: number; entries?: Readonly<Record<string, string>> }> {
    const source = openSource(request.root, request.path);
    const below = source.kind === 'directory' ? walkTree(source.path, request.excluded, source.place) : [];
    const entries: TreeEntry[] = [{ path: '', kind: source.kind }, ...below];
    const digests = await this.#jobs.digest(
      {
        directory: source.path,
        entries,
        ...(request.owner ? { owner: request.owner } : {}),
        ...(request.statCache
          ? { statCache: { folder: this.#cacheFolder, contextRoot: request.root, prefix: source.place } }
          : {}),
      },
      request.signal,
    );
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for (const entry of digests) {
      hash.update(entry.digest);
      sizeBytes += entry.sizeBytes;
    }
    return {
      digest: `sha256:${hash.digest('hex')}` as Digest,
      files: digests.length,
      sizeBytes,
      ...(digests.length <= NAMED_FILES
        ? { entries: Object.fromEntries(digests.map((entry) => [entry.path, entry.digest])) }
        : {}),
    };
  }
}

function openIfThere(root: string, path: string, flags: number): number | undefined {
  try {
    return openInRoot(root, path, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENXIO') return undefined;
    throw error;
  }
}

function describe(stats: Stats) {
  const type = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other';
  return { type, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid, size: stats.size } as const;
}

function splitPath(place: string): { parent: string; leaf: string } {
  const slash = place.lastIndexOf('/');
  return { parent: slash < 0 ? '' : place.slice(0, slash), leaf: place.slice(slash + 1) };
}

function relativeDepth(path: string, start: string): number {
  return path.split('/').length - (start === '' ? 0 : start.split('/').length);
}
