import { lstatSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-fs';
import { BerthError } from '../../errors/index.ts';
import { createIgnoreMatcher, parseIgnore } from '../../parser/ignore/index.ts';

export interface PackOptions {
  /** Path of the Dockerfile in the archive; undefined for the default. */
  readonly dockerfile: string | undefined;
  /** A Dockerfile that lies elsewhere, under a name of its own, and the ignore file beside it. */
  readonly guest?: { readonly name: string; readonly text: Uint8Array; readonly ignore?: Uint8Array };
}

/**
 * The build context as a tar, for an engine that does not share our files. What `.dockerignore` excludes stays here;
 * owners are dropped, as the engine does with its own contexts. @throws BerthError `invalid` for a bad pattern
 */
export function packContext(root: string, { dockerfile = 'Dockerfile', guest }: PackOptions): Readable {
  const ignoreFile = `${dockerfile}.dockerignore`;
  const text = guest?.ignore ?? readIfThere(join(root, ignoreFile)) ?? readIfThere(join(root, '.dockerignore'));
  const matcher = createIgnoreMatcher(parseIgnore(text === undefined ? '' : Buffer.from(text).toString('utf8')));
  const [problem] = matcher.problems;
  if (problem)
    throw new BerthError('invalid', `.dockerignore: bad pattern ${JSON.stringify(problem.text)}: ${problem.problem}`);
  // The engine needs these to build at all; it hides them from COPY itself.
  const needed = new Set([dockerfile, dockerfile.toLowerCase(), ignoreFile, '.dockerignore']);
  const ignore = (path: string) => {
    const name = relative(root, path);
    if (name === '' || needed.has(name) || !matcher.ignores(name)) return false;
    if (isParentOf(name, dockerfile)) return false;
    return !matcher.mayContainExceptions || !isDirectory(path) || matcher.canSkipDirectory(name);
  };
  return pack(root, {
    ignore,
    sort: true,
    strict: false,
    umask: 0,
    map: (header) => ({ ...header, uid: 0, gid: 0 }),
    finalize: false,
    finish: (archive) => {
      if (guest) addGuest(archive, guest);
      archive.finalize();
    },
  });
}

function addGuest(archive: Pack, { name, text, ignore }: NonNullable<PackOptions['guest']>): void {
  archive.entry({ name, mode: 0o600 }, Buffer.from(text));
  if (ignore) archive.entry({ name: `${name}.dockerignore`, mode: 0o600 }, Buffer.from(ignore));
}

function isParentOf(directory: string, path: string): boolean {
  return path.startsWith(`${directory}/`);
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
