import type { BuildCachePruned, ContainersPruned, ImagesPruned, VolumesPruned } from '../api/contract/index.ts';
import { humanSize } from '../units/index.ts';
import type { Engine } from './connection/engine.ts';

/** What a prune removed, as lines to print, and the bytes that came back. */
export interface Pruned {
  readonly text: string;
  readonly bytes: number;
}

type Query = Readonly<Record<string, string | number | undefined>>;

export async function pruneContainers(engine: Engine, query: Query): Promise<Pruned> {
  const body = await engine.json<ContainersPruned>('POST', '/containers/prune', { query });
  return report('Deleted Containers', body.ContainersDeleted ?? [], body.SpaceReclaimed);
}

export async function pruneImages(engine: Engine, query: Query): Promise<Pruned> {
  const body = await engine.json<ImagesPruned>('POST', '/images/prune', { query });
  const lines = (body.ImagesDeleted ?? []).map((item) =>
    'Deleted' in item ? `deleted: ${item.Deleted}` : `untagged: ${item.Untagged}`,
  );
  return report('Deleted Images', lines, body.SpaceReclaimed);
}

export async function pruneBuildCache(engine: Engine, query: Query): Promise<Pruned> {
  const body = await engine.json<BuildCachePruned>('POST', '/build/prune', { query });
  return report('Deleted build cache objects', body.CachesDeleted ?? [], body.SpaceReclaimed);
}

export async function pruneVolumes(engine: Engine, query: Query): Promise<Pruned> {
  const body = await engine.json<VolumesPruned>('POST', '/volumes/prune', { query });
  return report('Deleted Volumes', body.VolumesDeleted ?? [], body.SpaceReclaimed);
}

/** @see docker/cli command/system/prune.go */
export function reclaimed(bytes: number): string {
  return `Total reclaimed space: ${humanSize(bytes, 4)}\n`;
}

function report(title: string, lines: readonly string[], bytes: number): Pruned {
  return { text: lines.length === 0 ? '' : `${title}:\n${lines.join('\n')}\n\n`, bytes };
}
