import type { BuildCacheBody, BuildCachePruned, Filters } from '../../api/contract/index.ts';
import { type ChainId, type Digest, hexOf } from '../../oci/index.ts';
import type { LayerGarbage } from '../ports.ts';
import { type Inventory, imageTops, topsOf } from './inventory.ts';
import type { BuildCacheStore, CacheRecord } from './ports.ts';
import { cacheFilter } from './prune-filter.ts';
import { buildCacheItems, total } from './report.ts';

/** What a prune of the build cache is asked to do. */
export interface CachePruneQuery {
  /** Also what images share, and what can be found out again. */
  readonly all: boolean;
  readonly filters: Filters;
  /** Bytes that may stay: what was used last stays. */
  readonly keepBytes: number;
}

/** The steps that go, in that order. Each names the bytes that the cache then is smaller by. */
interface CachePlan {
  readonly records: readonly CacheRecord[];
  readonly items: readonly string[];
}

/**
 * Chooses what goes: what was not used for the longest time first, a layer never before those on it. What a running
 * build holds stays, and its records with it. Pure.
 */
export function planCachePrune(
  inventory: Inventory,
  { all, filters, keepBytes }: CachePruneQuery,
  now: number,
): CachePlan {
  const { layers, records, images, containers, busy, items } = inventory;
  const accepts = cacheFilter(filters, now);
  const bodies = buildCacheItems(inventory);
  const byId = new Map(bodies.map((body) => [body.ID, body]));
  const kinds = new Map(items.map(({ id, kind }) => [id, kind]));
  const mayGo = (body: BuildCacheBody) => {
    if (body.InUse || !accepts(body)) return false;
    return all || (!body.Shared && kinds.get(body.ID) !== 'note');
  };
  let left = total(bodies.filter(({ Shared }) => !Shared).map(({ Size }) => Size));

  const byChain = new Map<ChainId, CacheRecord[]>();
  for (const record of records) byChain.set(record.chain, [...(byChain.get(record.chain) ?? []), record]);
  const blockers = childCounts(
    layers.below([...topsOf(records), ...busy, ...imageTops(images), ...topsOf(containers)]),
    inventory,
  );
  const lastUsed = (chain: ChainId) => Math.max(0, ...(byChain.get(chain) ?? []).map(({ lastUsedAt }) => lastUsedAt));
  const candidates: Candidate[] = [
    ...bodies
      .filter((body) => kinds.has(body.ID) && mayGo(body))
      .map((body) => ({ item: body.ID, bytes: body.Size, at: Date.parse(body.LastUsedAt ?? body.CreatedAt) })),
    ...[...layers.below(topsOf(records))]
      .map((chain) => ({ chain, body: byId.get(hexOf(chain).slice(0, 25)) }))
      .filter(({ body }) => body !== undefined && mayGo(body))
      .map(({ chain, body }) => ({ chain, bytes: body!.Shared ? 0 : body!.Size, at: lastUsed(chain) })),
  ].sort((a, b) => a.at - b.at);

  // A record whose layer is gone is no use to anybody.
  const plan = { records: records.filter(({ chain }) => layers.get(chain) === undefined), items: [] as string[] };
  // Taking a layer may free the one below it, which was passed over: the search then begins anew.
  for (let at = 0; at < candidates.length && left > keepBytes; ) {
    const { item, chain, bytes } = candidates[at]!;
    const body = chain === undefined ? undefined : byId.get(hexOf(chain).slice(0, 25));
    if (chain !== undefined && !body?.Shared && (blockers.get(chain) ?? 0) > 0) {
      at += 1;
      continue;
    }
    candidates.splice(at, 1);
    left -= bytes;
    if (item !== undefined) plan.items.push(item);
    if (chain === undefined) continue;
    const own = byChain.get(chain) ?? [];
    plan.records.push(...own);
    left -= total(own.map((record) => record.bytes));
    const parent = layers.get(chain)?.parent;
    if (parent && !body?.Shared) {
      blockers.set(parent, (blockers.get(parent) ?? 1) - 1);
      at = 0;
    }
  }
  return plan;
}

interface Candidate {
  readonly item?: string;
  readonly chain?: ChainId;
  readonly bytes: number;
  readonly at: number;
}

function childCounts(chains: ReadonlySet<ChainId>, { layers }: Inventory): Map<ChainId, number> {
  const counts = new Map<ChainId, number>();
  for (const chain of chains) {
    const parent = layers.get(chain)?.parent;
    if (parent) counts.set(parent, (counts.get(parent) ?? 0) + 1);
  }
  return counts;
}

/** Carries a plan out. What has come into use since it was made stays. */
export async function pruneCache(
  inventory: Inventory,
  { records, items }: CachePlan,
  ports: { readonly buildCache: BuildCacheStore; readonly garbage: LayerGarbage },
): Promise<BuildCachePruned> {
  const deleted: string[] = [];
  let SpaceReclaimed = 0;
  if (records.length > 0) {
    await ports.buildCache.removeRecords(new Set<Digest>(records.map(({ key }) => key)));
    const gone = await ports.garbage.removeUnneeded([...new Set(topsOf(records))]);
    SpaceReclaimed += inventory.layers.freed(new Set(gone)) + total(records.map(({ bytes }) => bytes));
    deleted.push(...new Set([...gone, ...topsOf(records)].map((chain) => hexOf(chain).slice(0, 25))));
  }
  for (const id of items) {
    const bytes = await ports.buildCache.removeItem(id);
    if (bytes === undefined) continue;
    SpaceReclaimed += bytes;
    deleted.push(id);
  }
  return { CachesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed };
}
