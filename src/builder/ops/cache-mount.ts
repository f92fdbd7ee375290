import { BerthError } from '../../errors/index.ts';
import { canonicalJson } from '../../oci/index.ts';
import type { CacheMount } from '../plan/graph.ts';
import type { Opened } from '../ports.ts';
import { cleanPath } from './select.ts';
import { type StepEnv, withTree } from './step-env.ts';

/**
 * The folder of a cache. What it is filled with first belongs to its identity: a cache that began with other files, or
 * for another user, is another cache.
 * @see BuildKit solver/llbsolver/mounts, "cache-dir" keys
 */
export function openCache(env: StepEnv, mount: CacheMount, signal: AbortSignal): Promise<Opened> {
  const { id, sharing, mode, uid, gid, from, source } = mount;
  const beginning = from.kind === 'node' ? (env.chainOf(from.node) ?? 'scratch') : 'scratch';
  const isPlain = beginning === 'scratch' && mode === 0o755 && uid === 0 && gid === 0;
  return env.ports.caches.open({
    id: isPlain ? id : canonicalJson({ id, beginning, source, mode, uid, gid }),
    sharing,
    mode,
    uid,
    gid,
    signal,
    ...(from.kind === 'empty' ? {} : { fill: (folder) => fill(env, mount, folder, signal) }),
  });
}

/** Symlinks of the source are followed inside its own tree only. */
async function fill(env: StepEnv, { from, source, target }: CacheMount, folder: string, signal: AbortSignal) {
  await withTree(env, from, async ({ root }) => {
    const path = cleanPath(source);
    const info = root === null ? undefined : await env.ports.files.stat(root, path);
    if (root === null || info?.type !== 'directory') {
      const what = info ? 'is not a folder' : 'is not there';
      throw new BerthError('not-found', `${source}, the first content of the cache at ${target}, ${what}`);
    }
    await env.ports.files.copy({ fromRoot: root, fromPath: path, toRoot: folder, toPath: '', signal });
  });
}
