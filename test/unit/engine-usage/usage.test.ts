import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../../src/engine/usage/inventory.ts';
import { LayerSet } from '../../../src/engine/usage/layers.ts';
import type { LayerFootprint } from '../../../src/engine/usage/ports.ts';
import { planCachePrune } from '../../../src/engine/usage/prune-cache.ts';
import { USAGE_TYPES, usageReport } from '../../../src/engine/usage/report.ts';
import { type ChainId, type DiffId, hexOf, sha256 } from '../../../src/oci/index.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 10);
const chain = (name: string) => sha256(name) as string as ChainId;
const shortOf = (name: string) => hexOf(chain(name)).slice(0, 25);

/** Layers as `name: [parent, bytes, group?]`; a group shares 70 bytes. */
function layersOf(
  table: Readonly<Record<string, readonly [parent: string | null, bytes: number, group?: string]>>,
): LayerSet {
  const rows = Object.entries(table).map(([name, [parent, bytes, group]]): [ChainId, LayerFootprint] => [
    chain(name),
    {
      parent: parent === null ? null : chain(parent),
      diffId: sha256(name) as string as DiffId,
      createdAt: '2026-01-01T00:00:00Z',
      bytes,
      linkGroup: group ?? null,
      linkedBytes: group === undefined ? 0 : 70,
    },
  ]);
  return new LayerSet(new Map(rows));
}

function inventory(layers: LayerSet, parts: Partial<Inventory>): Inventory {
  return { layers, images: [], notes: new Map(), containers: [], records: [], items: [], busy: [], ...parts };
}

const record = (name: string, hoursAgo: number) => ({
  key: sha256(`key ${name}`),
  chain: chain(name),
  description: name,
  createdAt: '2026-01-01T00:00:00Z',
  lastUsedAt: NOW - hoursAgo * HOUR,
  bytes: 1,
});

describe('sets of layers', () => {
  const layers = layersOf({ a: [null, 100, 'g'], b: [null, 110, 'g'], c: ['a', 5] });

  it('counts what linked copies share once', () => {
    expect(layers.bytes([chain('a'), chain('b')])).toBe(140);
    expect(layers.bytes([chain('b'), chain('a')])).toBe(140);
  });

  it('gives back of a linked copy only what is its own while another stays', () => {
    expect(layers.freed(new Set([chain('a')]))).toBe(30);
    expect(layers.freed(new Set([chain('a'), chain('b')]))).toBe(140);
  });

  it('frees of any set what is not needed for the rest', () => {
    const all = [...layers.all];
    fc.assert(
      fc.property(fc.subarray(all), (going) => {
        const rest = all.filter((one) => !going.includes(one));
        expect(layers.freed(new Set(going)) + layers.bytes(rest)).toBe(layers.bytes(all));
      }),
    );
  });
});

describe('the report', () => {
  it('gives each layer to one owner, so that the totals add up to everything', () => {
    const layers = layersOf({ base: [null, 100], image: ['base', 10], left: ['base', 7], cached: ['image', 3] });
    const container = { summary: { Id: 'c', State: 'exited' }, chain: chain('left'), bytes: 50, isActive: false };
    const body = usageReport(
      inventory(layers, {
        images: [
          {
            image: {
              id: sha256('i'),
              config: { architecture: '', os: '', rootfs: { type: 'layers', diff_ids: [] } },
              configBytes: Buffer.of(),
              names: [],
              repoDigests: [],
              taggedAt: '',
            },
            chains: [chain('base'), chain('image')],
            bytes: 4,
            containers: 0,
          },
        ],
        containers: [container as unknown as Inventory['containers'][number]],
        records: [record('cached', 1), record('image', 1)],
      }),
      [],
      new Set(USAGE_TYPES),
    );
    // The image's layers stay for the records, the container's go with it.
    expect(body.ImageUsage).toEqual({ TotalCount: 1, ActiveCount: 0, TotalSize: 114, Reclaimable: 4 });
    expect(body.ContainerUsage).toEqual({ TotalCount: 1, ActiveCount: 0, TotalSize: 57, Reclaimable: 57 });
    expect(body.BuildCacheUsage).toMatchObject({ TotalSize: 3 + 2, Reclaimable: 5 });
    expect(body.LayersSize).toBe(114);
  });

  it('has only the parts that were asked for', () => {
    expect(usageReport(inventory(layersOf({}), {}), [], new Set(['volume']))).toEqual({
      LayersSize: 0,
      VolumeUsage: { TotalCount: 0, ActiveCount: 0, TotalSize: 0, Reclaimable: 0 },
      Volumes: [],
    });
  });
});

describe('a prune of the build cache', () => {
  const layers = layersOf({ a: [null, 100], b: ['a', 100], c: ['b', 100], d: [null, 100] });
  const mount = {
    id: 'mount',
    kind: 'mount',
    description: '',
    inUse: false,
    bytes: 100,
    createdAt: 0,
    lastUsedAt: NOW - 90 * HOUR,
  } as const;
  const digests = { ...mount, id: 'context-digests', kind: 'note' } as const;
  const stock = inventory(layers, {
    records: [record('a', 9), record('b', 8), record('c', 7), record('d', 1)],
    items: [mount, digests],
  });
  const plan = (query: Partial<Parameters<typeof planCachePrune>[1]>, from: Inventory = stock) => {
    const { records, items } = planCachePrune(from, { all: false, filters: new Map(), keepBytes: 0, ...query }, NOW);
    return [...items, ...records.map(({ description }) => description)];
  };

  it('takes all that no image needs; with all, what can be found out again, too', () => {
    expect(plan({}).sort()).toEqual(['a', 'b', 'c', 'd', 'mount']);
    expect(plan({ all: true }).sort()).toEqual(['a', 'b', 'c', 'context-digests', 'd', 'mount']);
  });

  it('takes what was used least lately until enough is gone, never a layer below another', () => {
    expect(plan({ keepBytes: 504 })).toEqual(['mount']);
    expect(plan({ keepBytes: 402 })).toEqual(['mount', 'c', 'b']);
    expect(plan({ keepBytes: 1000 })).toEqual([]);
  });

  it('takes only what was not used for so long', () => {
    expect(plan({ filters: new Map([['until', ['2h']]]) }).sort()).toEqual(['a', 'b', 'c', 'mount']);
    expect(plan({ filters: new Map([['type', ['exec.cachemount']]]) })).toEqual(['mount']);
    expect(() => plan({ filters: new Map([['colour', ['red']]]) })).toThrow("invalid filter 'colour'");
  });

  it('leaves what running work holds, down to the lowest', () => {
    expect(plan({ all: true }, { ...stock, busy: [chain('b')] }).sort()).toEqual([
      'c',
      'context-digests',
      'd',
      'mount',
    ]);
  });

  it('forgets records whose layer is gone', () => {
    expect(plan({ keepBytes: 1e9 }, { ...stock, records: [...stock.records, record('lost', 0)] })).toEqual(['lost']);
  });

  it('names each layer by an id that the list has', () => {
    const body = usageReport(stock, [], new Set(['build-cache']));
    expect(body.BuildCache?.map(({ ID }) => ID)).toContain(shortOf('c'));
  });
});
