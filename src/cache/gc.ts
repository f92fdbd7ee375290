import { isBerthError } from '../errors/index.ts';
import { type ChainId, chainIds, type DiffId, type ImageConfig } from '../oci/index.ts';
import { openTurns } from './turns.ts';

/** Everything that a layer can be needed by. Each list may name the top of a stack only: what lies below follows. */
export interface LayerRoots {
  readonly images: readonly { readonly config: ImageConfig }[];
  readonly containers: readonly ChainId[];
  readonly records: readonly ChainId[];
  readonly leases: readonly ChainId[];
}

/** What the clean-up has to know of layers. */
export interface LayerStore {
  /** `parent` null: a lowest layer. */
  layerInfo(chain: ChainId): Promise<{ readonly chainId: ChainId; readonly parent?: ChainId | null } | undefined>;
  /** @throws BerthError `conflict` for a layer that another is built on, or that is mounted */
  removeLayer(chain: ChainId): Promise<void>;
}

/**
 * Mark: the chains that the roots need, with their ancestors as far as the store tells of them. It need not:
 * a layer that has children cannot be removed in any case.
 */
async function reachable(roots: LayerRoots, layers: LayerStore): Promise<ReadonlySet<ChainId>> {
  const marked = new Set<ChainId>();
  for (const { config } of roots.images) for (const chain of chainIds(config.rootfs.diff_ids)) marked.add(chain);
  for (const top of [...roots.containers, ...roots.records, ...roots.leases]) {
    for (let chain: ChainId | null = top; chain !== null && !marked.has(chain); ) {
      marked.add(chain);
      const info: Awaited<ReturnType<LayerStore['layerInfo']>> = await layers.layerInfo(chain);
      chain = info?.parent ?? null;
    }
  }
  return marked;
}

/**
 * Sweep: removes those of the candidates (each stack lowest first) that exist and that no root needs, children before
 * parents.
 * @returns what was removed, in that order
 */
export async function pruneUnreachable(
  candidates: readonly ChainId[],
  roots: LayerRoots,
  layers: LayerStore,
): Promise<readonly ChainId[]> {
  const needed = await reachable(roots, layers);
  const removed: ChainId[] = [];
  for (const chain of await childrenFirst(candidates, layers)) {
    if (needed.has(chain) || (await layers.layerInfo(chain)) === undefined) continue;
    try {
      await layers.removeLayer(chain);
      removed.push(chain);
    } catch (error) {
      // A child, or a use that the roots do not name, as a mount: it stays.
      if (!isBerthError(error) || error.kind !== 'conflict') throw error;
    }
  }
  return removed;
}

async function childrenFirst(candidates: readonly ChainId[], layers: LayerStore): Promise<readonly ChainId[]> {
  const depths = new Map<ChainId, number>();
  const depthOf = async (chain: ChainId): Promise<number> => {
    const known = depths.get(chain);
    if (known !== undefined) return known;
    const parent = (await layers.layerInfo(chain))?.parent;
    const depth = parent ? (await depthOf(parent)) + 1 : 0;
    depths.set(chain, depth);
    return depth;
  };
  for (const chain of candidates) await depthOf(chain);
  return [...new Set(candidates)].reverse().sort((a, b) => (depths.get(b) ?? 0) - (depths.get(a) ?? 0));
}

export interface GarbageSources {
  readonly layers: LayerStore & {
    /** Every committed layer. A store that cannot tell has no orphans. */
    chains?(): Promise<readonly ChainId[]>;
  };
  readonly images: {
    list(): Promise<LayerRoots['images']>;
    /** Images whose config cannot be read: which layers they need is not known. */
    damaged?(): Promise<readonly unknown[]>;
  };
  /** Top chains of all containers, running or not, and of running build steps. */
  containers(): Promise<readonly ChainId[]>;
  /** Top chains of the build records that are kept. */
  records(): Promise<readonly ChainId[]>;
  /** What is remembered of layers beside them; it goes with the last image that has the layer. */
  readonly notes?: { removeUnneeded(needed: () => Promise<Iterable<DiffId>>): Promise<void> };
}

/** Keeps layers from being removed until the returned function is called. */
type Keep = (chains: readonly ChainId[]) => () => void;

/** Satisfies the engine's `LayerGarbage`. */
export interface Garbage {
  lease(chains: readonly ChainId[]): Promise<() => void>;
  /** Runs work that makes or finds layers while no removal runs, so that it can keep them before one begins. */
  during<T>(work: (keep: Keep) => Promise<T>): Promise<T>;
  /** Removals that have run so far. */
  removals(): number;
  /** What is kept now. */
  leased(): readonly ChainId[];
  /** Of the given layers and those below them, removes what nothing needs. */
  removeUnneeded(chains: readonly ChainId[]): Promise<readonly ChainId[]>;
  /** Removes every layer that nothing needs; none while an image is damaged: it may come back whole. */
  collect(): Promise<readonly ChainId[]>;
}

/** Removals and new leases take turns, so that a leased layer is never taken away by a removal that began earlier. */
export function openGarbage(sources: GarbageSources): Garbage {
  const { layers, images, notes } = sources;
  const leases = new Set<readonly ChainId[]>();
  const turns = openTurns();

  const keep: Keep = (chains) => {
    const lease = [...chains];
    leases.add(lease);
    return () => void leases.delete(lease);
  };
  const leased = () => [...leases].flat();
  let removals = 0;

  const remove = async (candidates: readonly ChainId[]) => {
    removals += 1;
    const [imageRoots, containers, records] = await Promise.all([
      images.list(),
      sources.containers(),
      sources.records(),
    ]);
    const roots = { images: imageRoots, containers, records, leases: leased() };
    const removed = await pruneUnreachable(candidates, roots, layers);
    await notes?.removeUnneeded(async () => (await images.list()).flatMap(({ config }) => config.rootfs.diff_ids));
    return removed;
  };

  return {
    leased,
    removals: () => removals,
    during: (work) => turns.shared(() => work(keep)),
    lease: (chains) => turns.shared(async () => keep(chains)),
    removeUnneeded: (chains) =>
      turns.exclusive(async () => (chains.length === 0 ? [] : remove(await withAncestors(chains, layers)))),
    collect: () =>
      turns.exclusive(async () => {
        if (((await images.damaged?.()) ?? []).length > 0) return [];
        return remove((await layers.chains?.()) ?? []);
      }),
  };
}

async function withAncestors(chains: readonly ChainId[], layers: LayerStore): Promise<readonly ChainId[]> {
  const all = new Set<ChainId>();
  for (const top of chains) {
    for (let chain: ChainId | null = top; chain !== null && !all.has(chain); ) {
      all.add(chain);
      const info: Awaited<ReturnType<LayerStore['layerInfo']>> = await layers.layerInfo(chain);
      chain = info?.parent ?? null;
    }
  }
  return [...all];
}
