import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildInput } from '../api/server/index.ts';
import { gitAuthorization, type Secrets, webAuthorization } from '../builder/index.ts';
import type { BuilderPorts } from '../builder/ports.ts';
import { BerthError } from '../errors/index.ts';
import { type GitSource, parseGitRef } from '../parser/index.ts';

/** The largest Dockerfile that is taken from a URL. */
const MAX_DOCKERFILE_BYTES = 16 << 20;

export interface ContextOptions {
  readonly ports: Pick<BuilderPorts, 'remotes' | 'snapshots'>;
  /** Where contexts that come from elsewhere are put. */
  readonly contextsFolder: string;
  /** Unpacks a (possibly compressed) context tar into an empty folder. */
  readonly unpackContext: (tar: AsyncIterable<Uint8Array>, folder: string) => Promise<void>;
}

/** The files of a build. */
export interface OpenedContext {
  /** Null when there are none. */
  readonly root: string | null;
  /** The Dockerfile itself, when that is what a URL held. */
  readonly dockerfile?: string;
  dispose(): Promise<void>;
}

const NOTHING: OpenedContext = { root: null, dispose: async () => {} };

/** Opens what a build reads; what is fetched or unpacked for it is gone when it is disposed of. @throws BerthError */
export async function openContext(
  { source, buildArgs, secrets = new Map() }: Pick<BuildInput, 'source' | 'buildArgs' | 'secrets'>,
  options: ContextOptions,
  signal: AbortSignal,
): Promise<OpenedContext> {
  if (source.kind === 'dockerfile-only') return NOTHING;
  if (source.kind === 'path') return ofPath(source.path);
  const folder = join(options.contextsFolder, `context-${randomBytes(8).toString('hex')}`);
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const root = join(folder, 'files');
    await mkdir(root, { recursive: true, mode: 0o700 });
    if (source.kind === 'tar') {
      await options.unpackContext(source.stream, root);
      return { root, dispose };
    }
    const git = gitSource(source.url);
    if (git) {
      const keepGitDir = git.keepGitDir ?? isOn(buildArgs['BUILDKIT_CONTEXT_KEEP_GIT_DIR']);
      await checkOut(git, { ...options, root, keepGitDir, secrets, signal });
      return { root, dispose };
    }
    const dockerfile = await fetchUrl(source.url, { ...options, folder, root, secrets, signal });
    return dockerfile === undefined ? { root, dispose } : { root: null, dockerfile, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function ofPath(path: string): Promise<OpenedContext> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats) throw new BerthError('not-found', `the build context ${path} does not exist`);
  if (!stats.isDirectory() && !stats.isSymbolicLink()) {
    throw new BerthError('invalid', `the build context ${path} is not a directory`);
  }
  return { ...NOTHING, root: path };
}

function gitSource(url: string): GitSource | undefined {
  const ref = parseGitRef(url);
  if (!ref.isGit) return undefined;
  if ('source' in ref) return ref.source;
  throw new BerthError('invalid', `the build context ${url} cannot be used: ${ref.problem}`);
}

function isOn(value: string | null | undefined): boolean {
  return value === '1' || value?.toLowerCase() === 'true';
}

type Fetching = ContextOptions & {
  readonly root: string;
  readonly secrets: Secrets;
  readonly signal: AbortSignal;
};

async function checkOut(
  source: GitSource,
  { ports: { remotes }, root, keepGitDir, secrets, signal }: Fetching & { readonly keepGitDir: boolean },
): Promise<void> {
  const { ref, subDir, checksum, submodules = true, mtime, isAmbiguous } = source;
  // `github.com/a/b` is no local folder, or it would not have come here.
  const remote = isAmbiguous ? `https://${source.remote}` : source.remote;
  const repository = { remote, ref: ref || checksum, authorization: gitAuthorization(secrets, remote) };
  const commit = await remotes.commitOf(repository, { signal });
  if (!commit.startsWith(checksum)) {
    throw new BerthError('invalid', `${ref} is commit ${commit} now, and the address wants ${checksum}`);
  }
  const commitTimes = mtime === 'commit';
  await remotes.checkOut(repository, commit, { folder: root, subDir, keepGitDir, submodules, commitTimes, signal });
}

/** An archive is the context, a text the Dockerfile. @returns the text */
async function fetchUrl(
  url: string,
  {
    ports: { remotes, snapshots },
    folder,
    root,
    unpackContext,
    secrets,
    signal,
  }: Fetching & { readonly folder: string },
): Promise<string | undefined> {
  if (!/^https?:\/\//.test(url)) throw new BerthError('invalid', `the build context ${url} is not a URL`);
  const path = join(folder, 'fetched');
  const file = await remotes.web(url, { signal, authorization: (host) => webAuthorization(secrets, host) });
  try {
    await file.save(path, snapshots.freeBytes());
  } finally {
    file.close();
  }
  if (await isArchive(path)) {
    await unpackContext(createReadStream(path), root);
    return undefined;
  }
  const { size } = await lstat(path);
  if (size <= MAX_DOCKERFILE_BYTES) return await readFile(path, 'utf8');
  throw new BerthError('invalid', `${url} is no archive, and too large for a Dockerfile`);
}

/** A tar, plain or in one of the compressed forms. */
async function isArchive(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(512), 0, 512, 0);
    const hex = buffer.subarray(0, 6).toString('hex');
    const isCompressed = ['1f8b', '28b52ffd', '425a68', 'fd377a585a00'].some((magic) => hex.startsWith(magic));
    return isCompressed || buffer.toString('latin1', 257, 262) === 'ustar';
  } finally {
    await file.close();
  }
}
