import { readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { hexOf } from '../../oci/index.ts';
import { flags, umount } from '../linux/libc.ts';
import { mountsBelow } from '../linux/mount-table.ts';
import type { StorageDriver } from './drivers/driver.ts';
import type { LayerIndex } from './layer-index.ts';
import type { Layout } from './layout.ts';
import type { Roots } from './roots.ts';

/** Ids of build steps' roots begin with this: no crash leaves a build that could go on. */
export const BUILD_ROOT_PREFIX = 'build-';

/** Removes what a crash left: mounts and roots that belong to nobody, temps, half layers. Nothing else runs yet. */
export async function sweep(parts: {
  readonly layout: Layout;
  readonly layers: LayerIndex;
  readonly roots: Roots;
  readonly driver: StorageDriver;
  readonly liveIds: ReadonlySet<string>;
  readonly makeTemp: () => string;
}): Promise<void> {
  const { layout, layers, roots, liveIds } = parts;
  const isLive = (id: string) => liveIds.has(id) && !id.startsWith(BUILD_ROOT_PREFIX);
  for (const id of roots.ids()) if (!isLive(id)) await roots.remove(id, parts.makeTemp());
  const known = new Set(roots.ids());
  const whole = new Set([...layers.all()].map(({ chainId }) => hexOf(chainId)));
  const kept = new Set([...known].map((id) => roots.path(id)));
  for (const target of [...mountsBelow(layout.roots), ...mountsBelow(layout.views)])
    if (!kept.has(target)) umount(target, flags.MNT_DETACH);
  for (const target of mountsBelow(layout.layers))
    if (!whole.has(target.slice(layout.layers.length + 1, -'/fs'.length))) umount(target, flags.MNT_DETACH);
  const stale = [
    ...readdirSync(layout.roots)
      .filter((id) => !known.has(id))
      .map((id) => `${layout.roots}/${id}`),
    ...readdirSync(layout.temps).map((name) => `${layout.temps}/${name}`),
    ...readdirSync(layout.views).map((name) => `${layout.views}/${name}`),
  ];
  for (const name of readdirSync(layout.layers)) if (!whole.has(name)) stale.push(`${layout.layers}/${name}`);
  for (const path of stale) await parts.driver.removeFolder(path);
  mendLinks(layout, layers);
}

/** Every layer has its short name, and no other short name is there. */
function mendLinks(layout: Layout, layers: LayerIndex): void {
  const wanted = new Map([...layers.all()].map(({ link, chainId }) => [link, `../layers/${hexOf(chainId)}/fs`]));
  const found = new Set<string>();
  for (const name of readdirSync(layout.links)) {
    const path = `${layout.links}/${name}`;
    if (wanted.get(name) === readTarget(path)) found.add(name);
    else rmSync(path, { recursive: true });
  }
  for (const [name, target] of wanted) if (!found.has(name)) symlinkSync(target, `${layout.links}/${name}`);
}

function readTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
