import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { openGarbage, openImageStore, openObjectStore, openSpool, openStepRecords } from '../../../src/cache/index.ts';
import { tidyUp } from '../../../src/daemon/tidy.ts';
import { createImages } from '../../../src/engine/images/index.ts';
import {
  type ChainId,
  canonicalName,
  chainIds,
  hexOf,
  type ImageId,
  parseReference,
  sha256,
  withDefaultTag,
} from '../../../src/oci/index.ts';
import { openLayerStore } from '../../../src/runtime/index.ts';
import { stream, tarOf } from '../../unit/engine-images/engine.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const canonical = (name: string) => canonicalName(withDefaultTag(parseReference(name)));

/** The stores of one data folder, as an engine opens them. */
async function openStores(dataFolder: string, users: (image: ImageId) => boolean) {
  const snapshots = await openLayerStore({ dataFolder });
  const { engineImages: images } = openImageStore(dataFolder);
  const records = openStepRecords(dataFolder);
  const store = openObjectStore(dataFolder);
  const garbage = openGarbage({
    layers: snapshots,
    images,
    containers: async () => [...(await snapshots.parents()).values()].filter((chain) => chain !== null),
    records: () => records.chains(),
  });
  const clock = { now: () => Date.now() };
  const api = createImages(
    { images, snapshots, clock, spool: openSpool(dataFolder), garbage },
    {
      emit: () => {},
      containersUsing: async (id) => (users(id) ? [{ id: 'c'.repeat(64), name: 'user', running: false }] : []),
    },
  );
  return { dataFolder, snapshots, images, records, store, garbage, api };
}

type Stores = Awaited<ReturnType<typeof openStores>>;

/** What the real stores should hold. Layers are numbered; a stack is a list of numbers. */
interface World {
  stores: Stores;
  readonly names: Map<string, readonly number[]>;
  readonly images: Map<ImageId, readonly number[]>;
  readonly containers: Map<string, { readonly image: ImageId; readonly stack: readonly number[] }>;
  readonly records: Map<string, readonly number[]>;
  readonly builds: { readonly stack: readonly number[]; readonly release: () => void }[];
}

const tars = (layer: number) => tarOf([{ name: `file-${layer}`, content: `content ${layer}` }]);
const diffOf = (layer: number) => sha256(tars(layer));
const chainsOf = (stack: readonly number[]) => chainIds(stack.map(diffOf));

async function applied(stores: Stores, stack: readonly number[]): Promise<ChainId> {
  let parent: ChainId | null = null;
  for (const layer of stack) parent = (await stores.snapshots.apply(parent, stream(tars(layer)))).chainId;
  return parent!;
}

const stackOf = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 });
const nameOf = fc.constantFrom('x', 'y', 'z');

/** One thing that happens. `build` commits layers, records each step, and names the image; a killed one stops before. */
const events = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('build' as const), stack: stackOf, name: nameOf, killed: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('load' as const), stack: stackOf, name: nameOf }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tag' as const), from: nameOf, name: nameOf }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rmi' as const), name: nameOf, force: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('run' as const), name: nameOf }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rm' as const), at: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('begin' as const), stack: stackOf }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('prune' as const), what: fc.constantFrom('images', 'cache') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const) }) },
);
type Event = typeof events extends fc.Arbitrary<infer T> ? T : never;

let serial = 0;

async function apply(world: World, event: Event): Promise<void> {
  const { stores, names, images, containers, records, builds } = world;
  const { garbage, snapshots, api } = stores;
  const named = (name: string) => {
    const stack = names.get(name);
    return stack && [...images].find(([, other]) => other === stack)?.[0];
  };
  const put = async (stack: readonly number[], name: string) => {
    const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: stack.map(diffOf) } };
    const { id } = await stores.images.put(Buffer.from(JSON.stringify(config)), [canonical(name)]);
    const known = images.get(id) ?? stack;
    images.set(id, known);
    names.set(name, known);
  };
  const dropImages = (ids: readonly ImageId[]) => {
    for (const id of ids) {
      const stack = images.get(id);
      images.delete(id);
      for (const [name, other] of names) if (other === stack) names.delete(name);
    }
  };
  switch (event.kind) {
    case 'build': {
      const release = await garbage.lease(chainsOf(event.stack));
      for (let depth = 1; depth <= event.stack.length; depth++) {
        const stack = event.stack.slice(0, depth);
        const chainId = await applied(stores, stack);
        const key = { digest: sha256(`step ${stack.join()}`), inputs: {} };
        const layer = { chainId, diffId: diffOf(stack.at(-1)!), sizeBytes: 1 };
        await stores.records.put({ key, slot: stack.join(), layer, createdAt: new Date().toISOString() });
        records.set(key.digest, stack);
      }
      if (!event.killed) await put(event.stack, event.name);
      release();
      return;
    }
    case 'load': {
      const release = await garbage.lease(chainsOf(event.stack));
      await applied(stores, event.stack);
      await put(event.stack, event.name);
      release();
      return;
    }
    case 'tag': {
      if (!names.has(event.from)) return;
      await api.tag(event.from, event.name, undefined);
      names.set(event.name, names.get(event.from)!);
      return;
    }
    case 'rmi': {
      const id = named(event.name);
      const result = await api.remove(event.name, { force: event.force, prune: true }).catch(() => undefined);
      if (result === undefined) return;
      if (result.some((row) => 'Deleted' in row && row.Deleted === id)) dropImages([id!]);
      else names.delete(event.name);
      return;
    }
    case 'run': {
      const id = named(event.name);
      if (id === undefined) return;
      serial += 1;
      const stack = images.get(id)!;
      await snapshots.create(`container-${serial}`, chainsOf(stack).at(-1)!);
      await stores.store.write('container', `container-${serial}`, {});
      containers.set(`container-${serial}`, { image: id, stack });
      return;
    }
    case 'rm': {
      const [id, container] = [...containers][event.at] ?? [];
      if (id === undefined) return;
      await snapshots.remove(id);
      await stores.store.remove('container', id);
      containers.delete(id);
      if (!images.has(container!.image)) await garbage.removeUnneeded(chainsOf(container!.stack).slice(-1));
      return;
    }
    case 'begin': {
      const release = await garbage.lease(chainsOf(event.stack));
      await applied(stores, event.stack);
      builds.push({ stack: event.stack, release });
      return;
    }
    case 'end': {
      const build = builds.shift();
      build?.release();
      if (build) await garbage.removeUnneeded(chainsOf(build.stack).slice(-1));
      return;
    }
    case 'prune': {
      if (event.what === 'images') {
        const gone = await api.prune(new Map([['dangling', ['false']]]));
        dropImages(
          gone.flatMap((row) =>
            'Deleted' in row && images.has(row.Deleted as ImageId) ? [row.Deleted as ImageId] : [],
          ),
        );
        return;
      }
      const chains = [...records.values()].map((stack) => chainsOf(stack).at(-1)!);
      await stores.records.removeAll(new Set([...records.keys()] as ReturnType<typeof sha256>[]));
      records.clear();
      await garbage.removeUnneeded(chains);
      return;
    }
    case 'kill': {
      builds.length = 0;
      world.stores = await openStores(stores.dataFolder, (id) => usesImage(world, id));
      const { store } = world.stores;
      await world.stores.snapshots.sweep({ liveIds: new Set(await store.list('container')) });
      await tidyUp(world.stores, (line) => expect.fail(line));
    }
  }
}

function usesImage({ containers }: World, id: ImageId): boolean {
  return [...containers.values()].some(({ image }) => image === id);
}

function needed({ images, containers, records, builds }: World): ReadonlySet<string> {
  const stacks = [
    ...images.values(),
    ...[...containers.values()].map(({ stack }) => stack),
    ...records.values(),
    ...builds.map(({ stack }) => stack),
  ];
  return new Set(stacks.flatMap((stack) => chainsOf(stack).map(hexOf)));
}

describe('the clean-up, against a model', () => {
  it('never loses what something needs, and never keeps what nothing needs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(events, { minLength: 5, maxLength: 25 }), async (sequence) => {
        const dataFolder = mkdtempSync('/tmp/berth-garbage-');
        folders.push(dataFolder);
        const world: World = {
          stores: await openStores(dataFolder, (id) => usesImage(world, id)),
          names: new Map(),
          images: new Map(),
          containers: new Map(),
          records: new Map(),
          builds: [],
        };
        for (const event of sequence) {
          await apply(world, event);
          expect(new Set(readdirSync(join(dataFolder, 'layers')))).toEqual(needed(world));
          const blobs = (await world.stores.images.list()).map(({ id }) => hexOf(id));
          expect(new Set(blobs)).toEqual(new Set([...world.images.keys()].map(hexOf)));
        }
        rmSync(dataFolder, { recursive: true, force: true });
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
