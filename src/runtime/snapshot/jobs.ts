import { createHash } from 'node:crypto';
import { lstatSync, type Stats } from 'node:fs';
import type { DiffId } from '../../oci/index.ts';
import { type ComparedTree, changesOf, collectChanges } from './collect.ts';
import { copyLayer, copyTree } from './copy-tree.ts';
import { MAX_LISTED_FILES } from './durable.ts';
import { graftLayer } from './graft.ts';
import { linkTree } from './link-tree.ts';
import { mergedItems, type PlantedTree, plantTree } from './plant.ts';
import { pruneUnchanged } from './prune.ts';
import { changedTop } from './root-item.ts';
import { measureTree, type TreeUsage } from './tree/allocated.ts';
import { removeMarks, setTime, unmarkOpaque } from './tree/attributes.ts';
import type { BaselineSource } from './tree/baseline.ts';
import { Lowers } from './tree/lowers.ts';
import { packTree } from './tree/pack.ts';
import { type Budget, contentBytes, isOver, listTree, type TreeItem, topItem, walkTree } from './tree/walk.ts';

/** Work on a whole tree, as it crosses into a worker thread. */
export type LayerJob =
  | {
      /** Makes an upper ready to be a layer, and names it by its canonical tar. */
      readonly kind: 'finalize';
      readonly top: string;
      /** First fill `top`, which is an empty directory with the parent's attributes, from here. */
      readonly source?: FinalizeSource;
      /** The parent's layer directories, topmost first. */
      readonly lowers: readonly string[];
      /** Seconds since the epoch; later times become this one. */
      readonly clampMtime?: number;
    }
  | { readonly kind: 'measure'; readonly top: string }
  /** As `measure`, for the changes of a whole tree. */
  | {
      readonly kind: 'measure-changes';
      readonly top: string;
      readonly baseline: BaselineSource;
      readonly lowers: readonly string[];
    }
  /** Copies what a stack of layers shows into an empty directory. */
  | { readonly kind: 'plant'; readonly top: string; readonly lowers: readonly string[] }
  /** Makes of the tree of a layer's parents, `top`, the layer's own: changes it as the layer's directory says. */
  | { readonly kind: 'graft'; readonly top: string; readonly from: string }
  /** What a folder takes on the disk; it may be of any kind. */
  | { readonly kind: 'allocated'; readonly top: string }
  /** Gives a committed tree to a second layer; `top` is an empty directory. */
  | {
      readonly kind: 'link';
      readonly from: string;
      readonly top: string;
      /** Files cannot have a second name there: they are copied. */
      readonly copies: boolean;
    };

export type FinalizeSource =
  /** The upper of a mount, which others may be writing to. */
  { readonly kind: 'upper'; readonly from: string } | ComparedTree;

export interface TreeSummary {
  readonly diffId: DiffId;
  readonly tarBytes: number;
  /** Bytes of file content. */
  readonly sizeBytes: number;
  /** Regular files, relative to `fs/`; undefined when there are too many to sync one by one. */
  readonly files: readonly string[] | undefined;
}

export type JobValue = TreeSummary | TreeUsage | PlantedTree | number;

export type JobResult<J extends LayerJob> = J extends { kind: 'finalize' }
  ? TreeSummary
  : J extends { kind: 'allocated' }
    ? TreeUsage
    : J extends { kind: 'plant' }
      ? PlantedTree
      : number;

/** Runs a job in this thread. @returns undefined, having changed nothing, when the tree is larger than the budget */
export function runJob<J extends LayerJob>(job: J, budget?: Budget): JobResult<J> | undefined;
export function runJob(job: LayerJob, budget?: Budget): JobValue | undefined {
  const { top } = job;
  if (job.kind === 'allocated') return measureTree(top, budget);
  if (job.kind === 'measure') {
    const items = listTree(top, budget, { live: true });
    return items && contentBytes(items);
  }
  if (job.kind === 'link') {
    const items = listTree(job.from, budget);
    if (items) (job.copies ? copyLayer : linkTree)(items, top);
    return items?.length;
  }
  if (job.kind === 'graft') {
    const items = listTree(job.from, budget);
    if (items) graftLayer(job.from, items, top);
    return items?.length;
  }
  if (job.kind === 'plant') {
    const lowers = new Lowers(job.lowers);
    return isOver(mergedItems(lowers), budget) ? undefined : plantTree(lowers, top);
  }
  if (job.kind === 'measure-changes') {
    if (isOver(walkTree(top, { live: true, bare: true }), budget)) return undefined;
    return changesOf({ from: top, baseline: job.baseline }, job.lowers).bytes;
  }
  if (job.source === undefined) {
    const items = listTree(top, budget);
    return items && finalize(job, items);
  }
  if (isOver(walkTree(job.source.from, { live: true, bare: true }), budget)) return undefined;
  if (job.source.kind === 'upper') return finalize(job, copyTree(job.source.from, top));
  collectChanges(job.source, job.lowers, top);
  return finalize(job, listTree(top)!);
}

function finalize(job: LayerJob & { readonly kind: 'finalize' }, items: readonly TreeItem[]): TreeSummary {
  const { top, lowers, clampMtime } = job;
  const below = new Lowers(lowers);
  let kept = dropIdleMarks(pruneUnchanged(items, below), below);
  for (const item of [topItem(top), ...kept]) removeMarks(item.place, item);
  if (clampMtime !== undefined) kept = clampTimes(top, kept, clampMtime);
  const hash = createHash('sha256');
  let tarBytes = 0;
  for (const chunk of packTree(layerItems(top, lowers[0] ?? null, kept), { reuseBuffer: true })) {
    hash.update(chunk);
    tarBytes += chunk.length;
  }
  const files = kept.filter(({ stat }) => stat.isFile()).map(({ path }) => path);
  return {
    diffId: `sha256:${hash.digest('hex')}` as DiffId,
    tarBytes,
    sizeBytes: contentBytes(kept),
    files: files.length > MAX_LISTED_FILES ? undefined : files,
  };
}

/**
 * Overlay marks every directory that was made elsewhere and then renamed as hiding one below, also where there is none.
 * Without that the layer's digest does not depend on how a directory came about, and it can be put on other parents.
 */
function dropIdleMarks(items: readonly TreeItem[], lowers: Lowers): readonly TreeItem[] {
  return items.map((item) => {
    if (!item.opaque || lowers.find(item.path) !== undefined) return item;
    unmarkOpaque(item.place);
    return { ...item, opaque: false };
  });
}

/** All that a layer's tar holds, in its order. */
export function* layerItems(top: string, parentTop: string | null, items: Iterable<TreeItem>): Generator<TreeItem> {
  yield* changedTop(top, parentTop);
  yield* items;
}

/** Changes the stored files too, so that they and the tar agree. */
function clampTimes(top: string, items: readonly TreeItem[], clamp: number): readonly TreeItem[] {
  const limitMs = clamp * 1000;
  if (lstatSync(top).mtimeMs > limitMs) setTime(top, clamp);
  return items.map((item) => {
    if (item.whiteout || item.stat.mtimeMs <= limitMs) return item;
    setTime(item.place, clamp);
    return { ...item, stat: Object.assign(Object.create(item.stat), { mtimeMs: limitMs }) as Stats };
  });
}
