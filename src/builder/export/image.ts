import type { DiffId, HistoryEntry, ImageConfig } from '../../oci/index.ts';
import type { NodeId } from '../plan/graph.ts';
import type { PlannedStage } from '../plan/options.ts';
import type { NodeResult } from '../solve/graph-run.ts';
import { isoTime } from '../solve/iso-time.ts';

/**
 * The config of a stage's image. Entries without a layer take the time of the layer before them, or of the first new
 * one; with SOURCE_DATE_EPOCH everything new takes that. Pure.
 * @see BuildKit exporter, "normalizeLayersAndHistory"
 */
export function imageConfig(
  stage: PlannedStage,
  results: ReadonlyMap<NodeId, NodeResult>,
  epoch: number | undefined,
): ImageConfig {
  const { base, platform } = stage;
  const made = stage.steps.map(({ node }) => (node === null ? undefined : results.get(node)?.made));
  const fixed = epoch === undefined ? undefined : isoTime(epoch * 1000);
  const baseHistory = base?.config.history ?? [];
  const baseCreated = baseHistory.findLast((entry) => entry.created !== undefined)?.created ?? base?.config.created;
  let time = fixed ?? made.find((layer) => layer !== undefined)?.createdAt ?? baseCreated;
  const history = stage.steps.map(({ entry }, index): HistoryEntry => {
    time = fixed ?? made[index]?.createdAt ?? time;
    return time === undefined ? entry : { created: time, ...entry };
  });
  const diffIds = made.flatMap((layer): DiffId[] => (layer ? [layer.layer.diffId] : []));
  return {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    ...(platform['os.version'] === undefined ? {} : { 'os.version': platform['os.version'] }),
    ...(time === undefined ? {} : { created: time }),
    ...(stage.author === undefined ? {} : { author: stage.author }),
    config: withoutEmpty(stage.config),
    rootfs: { type: 'layers', diff_ids: [...(base?.config.rootfs.diff_ids ?? []), ...diffIds] },
    history: [...baseHistory, ...history],
  };
}

/** Empty lists and maps are left out, as Go's omitempty does it. */
function withoutEmpty(config: PlannedStage['config']): PlannedStage['config'] {
  return Object.fromEntries(
    Object.entries(config).filter(
      ([, value]) => value !== '' && !(typeof value === 'object' && Object.keys(value).length === 0),
    ),
  );
}
