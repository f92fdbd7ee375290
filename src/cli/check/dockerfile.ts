import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { createIgnoreMatcher, type IgnoreMatcher, parseIgnore } from '../../parser/index.ts';
import type { BuildSource } from '../build/source.ts';

/** A Dockerfile that is looked at and not built. */
export interface FoundDockerfile {
  /** As it is named in messages: from where we are, when it lies there. */
  readonly name: string;
  readonly text: string;
  /** Undefined for stdin. */
  readonly path: string | undefined;
  readonly ignore: IgnoreMatcher | undefined;
}

/** @throws BerthError `not-found`, `unsupported` */
export function findDockerfile(source: BuildSource, cwd: string): FoundDockerfile {
  if (source.kind === 'archive') {
    throw new BerthError('unsupported', 'a Dockerfile in an archive cannot be checked', {
      hint: 'unpack the archive, or give the Dockerfile itself on stdin',
    });
  }
  if (source.kind === 'remote') {
    throw new BerthError('unsupported', `the Dockerfile of ${source.url} is not here, so it cannot be checked`, {
      hint: 'fetch it, and give the Dockerfile or its folder',
    });
  }
  if (source.kind === 'text')
    return { name: 'Dockerfile', text: decode(source.text), path: undefined, ignore: undefined };
  const { root, dockerfile } = source;
  if (dockerfile.kind === 'text') {
    return {
      name: 'Dockerfile',
      text: decode(dockerfile.text),
      path: undefined,
      ignore: readIgnore([join(root, '.dockerignore')]),
    };
  }
  const path = dockerfile.kind === 'outside' ? dockerfile.path : resolve(root, dockerfile.path ?? defaultName(root));
  if (!existsSync(path)) {
    throw new BerthError('not-found', `there is no Dockerfile in ${root}`, { hint: 'name it with -f FILE' });
  }
  const ignore = readIgnore([`${path}.dockerignore`, join(root, '.dockerignore')]);
  const way = relative(cwd, path);
  return { name: way.startsWith('..') ? path : way, text: decode(readFileSync(path)), path, ignore };
}

function defaultName(root: string): string {
  return existsSync(join(root, 'Dockerfile')) || !existsSync(join(root, 'dockerfile')) ? 'Dockerfile' : 'dockerfile';
}

/** The first of the files that is there; a bad pattern is told when the build reads it. */
function readIgnore(paths: readonly string[]): IgnoreMatcher | undefined {
  const path = paths.find((candidate) => existsSync(candidate));
  return path === undefined ? undefined : createIgnoreMatcher(parseIgnore(readFileSync(path, 'utf8')));
}

/** Bytes that are not UTF-8 become replacement characters: they are told, not thrown at. */
function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
