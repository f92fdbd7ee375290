import { describe, expect, it } from 'vitest';
import { type LayerRoots, openGarbage, pruneUnreachable } from '../../../src/cache/index.ts';
import { BerthError } from '../../../src/errors/index.ts';
import { type ChainId, chainIds, type DiffId, sha256 } from '../../../src/oci/index.ts';

const none: LayerRoots = { images: [], containers: [], records: [], leases: [] };
const [a, b, c, d] = [sha256('a'), sha256('b'), sha256('c'), sha256('d')] as [DiffId, DiffId, DiffId, DiffId];

/** Layers of the given stacks, each a list of diff ids. */
function layersOf(...stacks: DiffId[][]) {
  const parents = new Map<ChainId, ChainId | null>();
  for (const stack of stacks) {
    const chains = chainIds(stack);
    for (const [index, chain] of chains.entries()) parents.set(chain, chains[index - 1] ?? null);
  }
  return {
    parents,
    layerInfo: async (chain: ChainId) => {
      const parent = parents.get(chain);
      return parent === undefined ? undefined : { chainId: chain, parent };
    },
    removeLayer: async (chain: ChainId) => {
      expect([...parents.values()]).not.toContain(chain);
      parents.delete(chain);
    },
  };
}

const imageOf = (...diffIds: DiffId[]) => ({
  config: { architecture: '', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: diffIds } },
});
const top = (...diffIds: DiffId[]) => chainIds(diffIds).at(-1) as ChainId;

describe('removal of layers', () => {
  it('frees a whole stack that nothing needs, children first, whatever the order of the candidates', async () => {
    for (const candidates of [chainIds([a, b, c]), chainIds([a, b, c]).reverse()]) {
      const layers = layersOf([a, b, c]);
      expect(await pruneUnreachable(candidates, none, layers)).toEqual(chainIds([a, b, c]).reverse());
      expect(layers.parents.size).toBe(0);
    }
  });

  it('keeps what another image has below', async () => {
    const layers = layersOf([a, b, c], [a, b, d]);
    const removed = await pruneUnreachable(chainIds([a, b, c]), { ...none, images: [imageOf(a, b, d)] }, layers);
    expect(removed).toEqual([top(a, b, c)]);
  });

  it.each(['containers', 'records', 'leases'] as const)('keeps what %s stand on, down to the lowest', async (kind) => {
    const layers = layersOf([a, b, c], [a, b, d]);
    const removed = await pruneUnreachable(chainIds([a, b, c]), { ...none, [kind]: [top(a, b, d)] }, layers);
    expect(removed).toEqual([top(a, b, c)]);
  });

  it('works with a store that tells no parents but refuses to remove what has children', async () => {
    const layers = layersOf([a, b, c], [a, b, d]);
    const silent = {
      layerInfo: async (chain: ChainId) => (layers.parents.has(chain) ? { chainId: chain } : undefined),
      removeLayer: async (chain: ChainId) => {
        if ([...layers.parents.values()].includes(chain)) throw new BerthError('conflict', 'it has children');
        layers.parents.delete(chain);
      },
    };
    const roots = { ...none, records: [top(a, b, d)] };
    expect(await pruneUnreachable(chainIds([a, b, c]), roots, silent)).toEqual([top(a, b, c)]);
    expect(await pruneUnreachable(chainIds([a, b, d]), none, silent)).toEqual(chainIds([a, b, d]).reverse());
  });

  it('goes on when the layer store itself holds one', async () => {
    const layers = layersOf([a], [b]);
    const removeLayer = async (chain: ChainId) => {
      if (chain === top(a)) throw new BerthError('conflict', 'mounted');
      return layers.removeLayer(chain);
    };
    expect(await pruneUnreachable([top(a), top(b)], none, { ...layers, removeLayer })).toEqual([top(b)]);
  });

  it('waits with a new lease until a removal is over, and respects it afterwards', async () => {
    const layers = layersOf([a]);
    let begin = () => {};
    const began = new Promise<void>((resolve) => {
      begin = resolve;
    });
    let proceed = () => {};
    const gate = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const garbage = openGarbage({
      layers,
      images: {
        list: async () => {
          begin();
          await gate;
          return [];
        },
      },
      containers: async () => [],
      records: async () => [],
    });
    const removal = garbage.removeUnneeded([top(a)]);
    await began;
    const lease = garbage.lease([top(a)]);
    proceed();
    expect(await removal).toEqual([top(a)]);
    const release = await lease;
    layers.parents.set(top(a), null);
    expect(await garbage.removeUnneeded([top(a)])).toEqual([]);
    release();
    release();
    expect(await garbage.removeUnneeded([top(a)])).toEqual([top(a)]);
  });

  it('lets what is remembered of layers go, but for those that images have', async () => {
    const asked: DiffId[][] = [];
    const garbage = openGarbage({
      layers: layersOf([a, b]),
      images: { list: async () => [{ config: { rootfs: { type: 'layers', diff_ids: [a, c] } } as never }] },
      containers: async () => [],
      records: async () => [],
      notes: { removeUnneeded: async (needed) => void asked.push([...(await needed())]) },
    });
    await garbage.removeUnneeded([chainIds([a, b])[1]!]);
    expect(asked).toEqual([[a, c]]);
  });
});
