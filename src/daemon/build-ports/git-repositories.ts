import { lutimes, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CheckOutOptions, GitRepository, RemoteFiles, RootFiles } from '../../builder/ports.ts';
import { BerthError } from '../../errors/index.ts';
import { type GitCall, hideCredentials, runGit } from './git-program.ts';

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
/** Of the repository's own folder, what tells where and when it was fetched. */
const TRACES = ['FETCH_HEAD', 'logs', 'hooks', 'ORIG_HEAD'];

/** Git repositories, through the `git` program. `folder` takes what is half done. */
export function gitRepositories(folder: string, files: RootFiles): Pick<RemoteFiles, 'commitOf' | 'checkOut'> {
  async function withScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
    const scratch = await mkdtemp(join(folder, 'git-'));
    try {
      return await work(scratch);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  return {
    async commitOf(repository, { signal }) {
      const { remote, ref } = checked(repository);
      if (COMMIT.test(ref)) return ref;
      const listed = await withScratch((scratch) =>
        runGit(['ls-remote', '--', remote, ...(ref === '' ? ['HEAD'] : [ref, `${ref}^{}`])], {
          ...callFor(repository, scratch, signal),
        }),
      );
      const found = commitIn(listed, ref === '' ? 'HEAD' : ref);
      if (found) return found.commit;
      throw new BerthError('not-found', `${hideCredentials(remote)} has no branch or tag ${ref}`);
    },

    async checkOut(repository, commit, options) {
      const { remote, ref } = checked(repository);
      const { signal, submodules } = options;
      await withScratch(async (scratch) => {
        const git = callFor(repository, scratch, signal);
        await runGit(['init', '--quiet', '--template='], git);
        await runGit(['config', 'remote.origin.url', remote], git);
        await fetchCommit(git, remote, ref, commit);
        await runGit(['checkout', '--quiet', '--detach', '--force', commit], git);
        if (submodules) await runGit(['submodule', '--quiet', 'update', '--init', '--recursive', '--depth=1'], git);
        if (options.commitTimes) await setTimes(scratch, await commitTime(git));
        if (options.keepGitDir) await scrub(git, remote);
        await copyOut(files, scratch, options);
      });
    },
  };
}

/** The header goes to the remote's own host and no other, as that of a submodule. */
function callFor({ remote, authorization }: GitRepository, folder: string, signal: AbortSignal): GitCall {
  if (authorization === undefined || !/^https?:/.test(remote)) return { folder, signal };
  return { folder, signal, header: { url: `${new URL(remote).origin}/`, text: `Authorization: ${authorization}` } };
}

/** What would be an option to git, or run a program, is refused before git sees it. @see CVE-2019-13139 */
function checked(repository: GitRepository): GitRepository {
  const { remote, ref } = repository;
  const isKnown =
    /^(https?|ssh|git):\/\/[^-]/.test(remote) ||
    /^[a-zA-Z0-9._][a-zA-Z0-9._-]*@[a-zA-Z0-9.][a-zA-Z0-9.-]*:[^-]/.test(remote);
  if (!isKnown || /[\s\0]/.test(remote)) {
    throw new BerthError('invalid', `${hideCredentials(remote)} is not the address of a git repository`);
  }
  if (ref.startsWith('-') || /[\s\0~^:?*[\\]|\.\./.test(ref)) {
    throw new BerthError('invalid', `${JSON.stringify(ref)} is not the name of a branch, tag or commit`);
  }
  return repository;
}

interface FoundRef {
  readonly commit: string;
  readonly name: string;
}

/** The ref itself, else the branch, else the tag (what an annotated tag points at) of that name. */
function commitIn(listed: string, ref: string): FoundRef | undefined {
  const refs = listed
    .split('\n')
    .map((line) => line.split('\t'))
    .map(([commit = '', name = '']): FoundRef => ({ commit, name }))
    .filter(({ commit }) => COMMIT.test(commit));
  for (const name of [`${ref}^{}`, ref, `refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`]) {
    const found = refs.find((candidate) => candidate.name === name);
    if (found) return found;
  }
  return undefined;
}

/** Only that commit where the server gives it; else what the ref holds; else everything. */
async function fetchCommit(git: GitCall, remote: string, ref: string, commit: string): Promise<void> {
  const fetch = (...what: string[]) => runGit(['fetch', '--quiet', '--no-tags', ...what], git);
  const attempts = [
    () => fetch('--depth=1', '--', remote, commit),
    ...(ref === '' || COMMIT.test(ref) ? [] : [() => fetch('--depth=1', '--', remote, ref)]),
    () => fetch('--', remote, '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'),
  ];
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      await attempt();
      await runGit(['cat-file', '-e', `${commit}^{commit}`], git);
      return;
    } catch (error) {
      git.signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

async function commitTime(git: GitCall): Promise<number> {
  return Number((await runGit(['show', '--no-patch', '--format=%ct', 'HEAD'], git)).trim());
}

async function setTimes(folder: string, time: number): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    await lutimes(join(entry.parentPath, entry.name), time, time);
  }
}

/** The address stays, who asked does not. */
async function scrub(git: GitCall, remote: string): Promise<void> {
  await runGit(['config', 'remote.origin.url', hideCredentials(remote)], git);
  for (const name of TRACES) await rm(join(git.folder, '.git', name), { recursive: true, force: true });
}

/** Through the root-safe copy: a link in the repository may point anywhere. Modes are git's two. */
async function copyOut(files: RootFiles, scratch: string, options: CheckOutOptions): Promise<void> {
  const { folder, subDir, keepGitDir, signal } = options;
  const info = await files.stat(scratch, subDir);
  if (info?.type !== 'directory') throw new BerthError('not-found', `the repository has no folder ${subDir}`);
  await files.copy({
    fromRoot: scratch,
    fromPath: subDir,
    toRoot: folder,
    toPath: '',
    owner: { uid: 0, gid: 0 },
    chmod: (mode, isDirectory) => (isDirectory || (mode & 0o100) !== 0 ? 0o755 : 0o644),
    ...(keepGitDir ? {} : { excluded: (path: string) => (/(^|\/)\.git$/.test(path) ? 'subtree' : false) }),
    signal,
  });
}
