import { existsSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { hexOf, sha256 } from '../../oci/index.ts';
import { parseGitRef } from '../../parser/sources/index.ts';
import type { InputStream } from '../environment.ts';

const MAX_STDIN_DOCKERFILE = 16 << 20;

/** Where a build reads its Dockerfile and files from. Paths are absolute. */
export type BuildSource =
  | { readonly kind: 'folder'; readonly root: string; readonly dockerfile: DockerfileSource }
  /** `build -` with a Dockerfile on stdin: there are no files. */
  | { readonly kind: 'text'; readonly text: Uint8Array }
  /** A git repository, or a URL of an archive or a Dockerfile: the engine fetches it. */
  | {
      readonly kind: 'remote';
      readonly url: string;
      /** Within it; undefined for the default. */
      readonly dockerfile: string | { readonly kind: 'text'; readonly text: Uint8Array } | undefined;
    }
  /** `build -` with an archive on stdin. */
  | { readonly kind: 'archive'; readonly stream: AsyncIterable<Uint8Array>; readonly dockerfile: string | undefined };

export type DockerfileSource =
  /** Relative to the context; undefined for the default. */
  | { readonly kind: 'inside'; readonly path: string | undefined }
  | { readonly kind: 'outside'; readonly path: string }
  | { readonly kind: 'text'; readonly text: Uint8Array };

/** Reads PATH and `-f`. @throws BerthError `invalid`, `not-found`, `unsupported` */
export async function readSource(
  path: string,
  file: string | undefined,
  world: { cwd: string; stdin: InputStream },
): Promise<BuildSource> {
  if (path === '-') {
    if (file === '-') throw new BerthError('invalid', 'PATH and -f cannot both be read from stdin');
    return await readStdin(world.stdin, file);
  }
  if (isRemote(path, world.cwd)) {
    if (file !== '-') return { kind: 'remote', url: path, dockerfile: file };
    return {
      kind: 'remote',
      url: path,
      dockerfile: { kind: 'text', text: await readAll(world.stdin, MAX_STDIN_DOCKERFILE) },
    };
  }
  const root = contextFolder(path, world.cwd);
  if (file === '-') {
    return {
      kind: 'folder',
      root,
      dockerfile: { kind: 'text', text: await readAll(world.stdin, MAX_STDIN_DOCKERFILE) },
    };
  }
  return {
    kind: 'folder',
    root,
    dockerfile: file === undefined ? { kind: 'inside', path: undefined } : findDockerfile(file, root, world.cwd),
  };
}

/** A folder that is there wins over a repository of that name. */
function isRemote(path: string, cwd: string): boolean {
  if (!/^https?:\/\//.test(path) && !parseGitRef(path).isGit) return false;
  return !statSync(resolve(cwd, path), { throwIfNoEntry: false })?.isDirectory();
}

function contextFolder(path: string, cwd: string): string {
  const root = resolve(cwd, path);
  const info = statSync(root, { throwIfNoEntry: false });
  if (!info)
    throw new BerthError(
      'not-found',
      `path ${JSON.stringify(path)} not found: it names the folder with the files to build from`,
    );
  if (info.isDirectory()) return root;
  throw new BerthError('invalid', `${path} is a file: PATH names the folder with the files to build from`, {
    hint: `berth build -f ${path} .`,
  });
}

/** `-f` is looked for from where we are, and then in the context. */
function findDockerfile(file: string, root: string, cwd: string): DockerfileSource {
  const found = [resolve(cwd, file), resolve(root, file)].find((candidate) => existsSync(candidate));
  if (found === undefined) throw new BerthError('not-found', `cannot find the Dockerfile ${file}`);
  if (statSync(found).isDirectory())
    throw new BerthError('invalid', `${file} is a folder: -f names a Dockerfile`, { hint: `-f ${file}/Dockerfile` });
  // A link that leads out of the context cannot be followed inside it.
  const real = realpathSync(found);
  if (!isInside(real, realpathSync(root))) return { kind: 'outside', path: real };
  return isInside(found, root)
    ? { kind: 'inside', path: relative(root, found) }
    : { kind: 'inside', path: relative(realpathSync(root), real) };
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith('../') && !isAbsolute(way);
}

/** A Dockerfile or an archive: the first bytes tell. */
async function readStdin(stdin: InputStream, file: string | undefined): Promise<BuildSource> {
  if (stdin.isTTY)
    throw new BerthError('invalid', 'there is nothing on stdin', {
      hint: 'redirect a Dockerfile or an archive into it',
    });
  const chunks = (stdin as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const { head, ended } = await firstBytes(chunks, 512);
  async function* whole() {
    if (head.length > 0) yield head;
    for (let next = ended ? undefined : await chunks.next(); next && !next.done; next = await chunks.next())
      yield next.value;
  }
  if (isArchive(head)) return { kind: 'archive', stream: whole(), dockerfile: file };
  if (file !== undefined) throw new BerthError('invalid', 'stdin is a Dockerfile, so there is no file to read with -f');
  return { kind: 'text', text: await readAll(whole(), MAX_STDIN_DOCKERFILE) };
}

async function firstBytes(
  chunks: AsyncIterator<Uint8Array>,
  wanted: number,
): Promise<{ head: Buffer; ended: boolean }> {
  let head = Buffer.alloc(0);
  while (head.length < wanted) {
    const next = await chunks.next();
    if (next.done) return { head, ended: true };
    head = Buffer.concat([head, Buffer.from(next.value)]);
  }
  return { head, ended: false };
}

/** A tar, plain or in one of the compressed forms. */
function isArchive(head: Buffer): boolean {
  const hex = head.subarray(0, 6).toString('hex');
  const isCompressed = ['1f8b', '28b52ffd', '425a68', 'fd377a585a00'].some((magic) => hex.startsWith(magic));
  return isCompressed || head.toString('latin1', 257, 262) === 'ustar';
}

async function readAll(stream: AsyncIterable<Uint8Array | string>, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    size += chunk.length;
    if (size > limit) throw new BerthError('invalid', `the Dockerfile on stdin is larger than ${limit >> 20} MiB`);
  }
  return Buffer.concat(chunks);
}

/** Name of a Dockerfile that is sent inside an archive but is not part of the context. */
export function guestName(text: Uint8Array): string {
  return `.dockerfile.${hexOf(sha256(text)).slice(0, 16)}`;
}
