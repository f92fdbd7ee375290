import type { ImageHistory, ImageInspect } from '../../api/contract/index.ts';
import type { HistoryEntry } from '../../oci/index.ts';
import { parseRfc3339, zeroTime } from '../../units/index.ts';
import type { ImageContext } from './context.ts';
import { layerSizes, sum } from './layers.ts';
import { shown } from './names.ts';
import { resolveImage } from './resolve.ts';

export async function inspectImage({ ports }: ImageContext, ref: string): Promise<ImageInspect> {
  const { image } = await resolveImage(ports.images, ref);
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.names.map(shown),
    RepoDigests: image.repoDigests.map(shown),
    Parent: '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? zeroTime,
    DockerVersion: '',
    Author: config.author ?? '',
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: sum(await layerSizes(ports.snapshots)(config)),
    GraphDriver: { Name: ports.snapshots.driver, Data: null },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.taggedAt },
  };
}

/** Newest step first. Only the newest is an image of its own here, the others are `<missing>`, as after a pull. */
export async function imageHistory({ ports }: ImageContext, ref: string): Promise<readonly ImageHistory[]> {
  const { image } = await resolveImage(ports.images, ref);
  const sizes = await layerSizes(ports.snapshots)(image.config);
  let layer = 0;
  const rows = historyOf(image.config.history ?? [], sizes.length).map(
    (entry): ImageHistory => ({
      Id: '<missing>',
      Created: Math.floor(((entry.created && parseRfc3339(entry.created)) || 0) / 1000),
      CreatedBy: entry.created_by ?? '',
      Tags: null,
      Size: entry.empty_layer ? 0 : (sizes[layer++] ?? 0),
      Comment: entry.comment ?? '',
    }),
  );
  const [newest, ...older] = rows.reverse();
  if (newest === undefined) return [];
  return [{ ...newest, Id: image.id, Tags: image.names.length === 0 ? null : image.names.map(shown) }, ...older];
}

/** Some tools write no history, or not all of it: every layer gets a row, so that the sizes add up. */
function historyOf(history: readonly HistoryEntry[], layers: number): readonly HistoryEntry[] {
  const told = history.filter((entry) => !entry.empty_layer).length;
  return [...history, ...Array.from({ length: Math.max(0, layers - told) }, () => ({}))];
}
