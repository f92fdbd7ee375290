import type { BuilderPorts } from '../builder/index.ts';
import type { ChainId } from '../oci/index.ts';

/** What builds need of the clean-up. */
export interface BuildGarbage {
  during<T>(work: (keep: (chains: readonly ChainId[]) => () => void) => Promise<T>): Promise<T>;
  removeUnneeded(chains: readonly ChainId[]): Promise<unknown>;
  /** Removals that have run so far. */
  removals(): number;
}

/** The ports of builds, which keep all layers that a running build has touched. */
export interface HeldPorts {
  readonly ports: BuilderPorts;
  /** Runs a build. With the last one that runs, the layers are let go; what nothing needs then is removed. */
  run<T>(build: () => Promise<T>): Promise<T>;
}

/**
 * A prune may come at any moment of a build, also between the commit of a layer and its record. Builds share steps, so
 * what one of them touches is kept until none runs.
 */
export function holdLayers(ports: BuilderPorts, garbage: BuildGarbage): HeldPorts {
  const { snapshots, records, images } = ports;
  const held = new Map<ChainId, () => void>();
  let running = 0;
  let removalsBefore = 0;

  /** Keeps the layer of what `find` gives, before a removal can begin. */
  const keeping = <T>(find: () => Promise<T>, chainOf: (found: T) => ChainId | null | undefined) =>
    garbage.during(async (keep) => {
      const found = await find();
      const chain = chainOf(found);
      if (chain && running > 0 && !held.has(chain)) held.set(chain, keep([chain]));
      return found;
    });

  const letGo = async () => {
    const chains = [...held.keys()];
    for (const release of held.values()) release();
    held.clear();
    // What a prune had to leave is garbage now. Without one, the records have it all.
    if (garbage.removals() > removalsBefore) await garbage.removeUnneeded(chains);
  };

  return {
    ports: {
      ...ports,
      snapshots: {
        freeBytes: () => snapshots.freeBytes(),
        has: (chain) => snapshots.has(chain),
        prepare: (id, parent) => snapshots.prepare(id, parent),
        view: (chain) => snapshots.view(chain),
        discard: (root) => snapshots.discard(root),
        commit: (root, options) =>
          keeping(
            () => snapshots.commit(root, options),
            ({ chainId }) => chainId,
          ),
        restack: (chain, parent) =>
          keeping(
            () => snapshots.restack(chain, parent),
            ({ chainId }) => chainId,
          ),
      },
      records: {
        ...records,
        get: (key) =>
          keeping(
            () => records.get(key),
            (record) => record?.layer.chainId,
          ),
      },
      images: {
        ...images,
        find: async (name, options) => {
          // Found, or pulled, first: a pull takes leases of its own, and may last.
          const image = await images.find(name, options);
          const { chain } = image ?? {};
          if (!chain) return image;
          const kept = await keeping(
            async () => ((await snapshots.has(chain)) ? image : undefined),
            (found) => found?.chain,
          );
          return kept ?? (await images.find(name, options));
        },
      },
    },
    async run(build) {
      if (running === 0) removalsBefore = garbage.removals();
      running += 1;
      try {
        return await build();
      } finally {
        running -= 1;
        if (running === 0) await letGo();
      }
    },
  };
}
