/** A git repository that a build context or ADD names. Nothing of it is checked against the repository yet. */
export interface GitSource {
  /** As written, without fragment and query. A `github.com/...` without a scheme means https. */
  readonly remote: string;
  /** Last part of the path, without `.git`. */
  readonly shortName: string;
  /** Branch, tag or commit; empty for the default branch. */
  readonly ref: string;
  /** What the commit's id must begin with; empty when any will do. */
  readonly checksum: string;
  readonly subDir: string;
  /** It may as well be a local path, as `github.com/a/b`: ADD takes it as one. */
  readonly isAmbiguous: boolean;
  readonly isUnencrypted: boolean;
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean | undefined;
  /** Time of the files: of the commit, or of the checkout. */
  readonly mtime: 'commit' | 'checkout' | '';
  readonly fetchByCommit: boolean;
}

export type GitRef =
  | { readonly isGit: false }
  /** It names a git repository, but not in a way that can be used. */
  | { readonly isGit: true; readonly problem: string }
  | { readonly isGit: true; readonly source: GitSource };

const NO_GIT: GitRef = { isGit: false };
const SCHEME = /^([a-zA-Z0-9]+):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
/** `user@host:path`, as scp has it. */
const SCP = /^[a-zA-Z0-9._-]+@[a-zA-Z0-9.-]+:([^?#]+)(?:\?([^#]*))?(?:#(.*))?$/s;
const GITHUB = /^github\.com\/([^?#]+)(?:\?([^#]*))?(?:#(.*))?$/s;
const SCHEMES = ['http', 'https', 'ssh', 'git'];

interface Parts {
  readonly remote: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly fragment: string | undefined;
}

/**
 * Tells whether a text names a git repository, and reads its parts: `https://host/repo.git#ref:folder`,
 * `?ref=…&subdir=…`, `git@host:repo`, `ssh://…`, `git://…`, `github.com/…`. Pure; never throws.
 * @see BuildKit util/gitutil, "ParseGitRef"
 */
export function parseGitRef(text: string): GitRef {
  const parts = partsOf(text);
  if (!parts) return NO_GIT;
  const draft = draftOf(text, parts);
  const problem = readQuery(draft, parts.query);
  return problem === undefined ? { isGit: true, source: draft } : { isGit: true, problem };
}

function partsOf(text: string): Parts | undefined {
  const remote = text.slice(0, text.search(/[?#]|$/));
  const [, github, ...githubRest] = GITHUB.exec(text) ?? [];
  if (github !== undefined) return { remote, path: github, query: githubRest[0], fragment: githubRest[1] };
  const [, scheme, , path = '', query, fragment] = SCHEME.exec(text) ?? [];
  if (scheme !== undefined) {
    if (!SCHEMES.includes(scheme)) return undefined;
    // A web address is a repository only when it says so.
    if (scheme.startsWith('http') && !path.endsWith('.git')) return undefined;
    return { remote, path, query, fragment };
  }
  const [, scpPath, ...scpRest] = SCP.exec(text) ?? [];
  return scpPath === undefined ? undefined : { remote, path: scpPath, query: scpRest[0], fragment: scpRest[1] };
}

type Draft = { -readonly [K in keyof GitSource]: GitSource[K] };

function draftOf(text: string, { remote, path, fragment = '' }: Parts): Draft {
  const colon = fragment.indexOf(':');
  return {
    remote,
    shortName: (path.split('/').at(-1) ?? '').replace(/\.git$/, ''),
    ref: colon < 0 ? fragment : fragment.slice(0, colon),
    checksum: '',
    subDir: colon < 0 ? '' : fragment.slice(colon + 1),
    isAmbiguous: text.startsWith('github.com/'),
    isUnencrypted: /^(http|git):/.test(remote),
    keepGitDir: undefined,
    submodules: undefined,
    mtime: '',
    fetchByCommit: false,
  };
}

const SWITCHES = ['keep-git-dir', 'submodules', 'fetch-by-commit'];

/** Adds what the query says. @returns what is wrong with it */
function readQuery(draft: Draft, query: string | undefined): string | undefined {
  const given = new URLSearchParams(query ?? '');
  for (const name of new Set(given.keys())) {
    const [value = '', ...more] = given.getAll(name);
    if (more.length > 0) return `query "${name}" has multiple values`;
    if (value === '' && !SWITCHES.includes(name)) return `query "${name}" has no value`;
    const problem = readParameter(draft, name, value);
    if (problem !== undefined) return problem;
  }
  return readRefName(draft, given);
}

function readParameter(draft: Draft, name: string, value: string): string | undefined {
  switch (name) {
    case 'ref':
      return setOnce(draft, 'ref', value, name);
    case 'subdir':
      return setOnce(draft, 'subDir', value, name);
    case 'checksum':
    case 'commit':
      return setOnce(draft, 'checksum', value, name);
    case 'keep-git-dir':
      draft.keepGitDir = truthOf(value);
      return draft.keepGitDir === undefined ? `invalid keep-git-dir value: ${JSON.stringify(value)}` : undefined;
    case 'submodules':
      draft.submodules = truthOf(value);
      return draft.submodules === undefined ? `invalid submodules value: ${JSON.stringify(value)}` : undefined;
    case 'fetch-by-commit': {
      const on = truthOf(value);
      draft.fetchByCommit = on === true;
      return on === undefined ? `invalid fetch-by-commit value: ${JSON.stringify(value)}` : undefined;
    }
    case 'mtime':
      if (value !== 'commit' && value !== 'checkout')
        return `invalid mtime value: ${JSON.stringify(value)} (must be "checkout" or "commit")`;
      draft.mtime = value;
      return undefined;
    case 'tag':
    case 'branch':
      return undefined;
    default:
      return `unexpected query ${JSON.stringify(name)}`;
  }
}

function setOnce(draft: Draft, key: 'ref' | 'subDir' | 'checksum', value: string, name: string): string | undefined {
  const before = draft[key];
  if (before !== '' && before !== value)
    return `${name} conflicts: ${JSON.stringify(before)} vs ${JSON.stringify(value)}`;
  draft[key] = value;
  return undefined;
}

/** `tag=` and `branch=` are refs that say what they are. */
function readRefName(draft: Draft, given: URLSearchParams): string | undefined {
  const tag = given.get('tag');
  const branch = given.get('branch');
  if (tag && branch) return 'branch conflicts with tag';
  const name = tag ? 'tag' : 'branch';
  const value = tag ?? branch;
  if (value === null) return undefined;
  if (draft.ref !== '') return `${name} conflicts with ref`;
  draft.ref = `refs/${tag ? 'tags' : 'heads'}/${value}`;
  return undefined;
}

/** As Go's strconv.ParseBool; a bare switch is on. */
function truthOf(value: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True|)$/.test(value)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(value) ? false : undefined;
}
