import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { type ChainId, chainId, type DiffId } from '../../oci/index.ts';
import { Background } from './background.ts';
import type { DriverName, StorageDriver } from './drivers/driver.ts';
import { openDriver } from './drivers/open.ts';
import { freeBytes } from './free-bytes.ts';
import { ingestLayer, LAYER_LIMITS, type LayerLimits } from './ingest-layer.ts';
import { layerItems } from './jobs.ts';
import { LayerIndex } from './layer-index.ts';
import { LayerMeter } from './layer-meter.ts';
import { type CommittedLayer, type MountableForm, publicPart } from './layer-record.ts';
import { LayerWriter } from './layer-writer.ts';
import { type Layout, makeLayout } from './layout.ts';
import { inheritTop } from './root-item.ts';
import { type MountedRoot, Roots } from './roots.ts';
import { readSplit } from './split.ts';
import { BUILD_ROOT_PREFIX, sweep } from './sweep.ts';
import { inTurns } from './tree/chunks.ts';
import { packTree } from './tree/pack.ts';
import { walkTree, withoutMarks } from './tree/walk.ts';
import { type View, Views } from './views.ts';

export interface LayerStoreOptions {
  /** `<root>/layout-v1`; all of the store lies below it, in one file system. */
  readonly dataFolder: string;
  /** How roots are put on layers. `overlay2` when it is not said. */
  readonly driver?: DriverName;
  /** In what form new layers are kept. A directory when it is not said. */
  readonly form?: MountableForm;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** What a layer from outside may be at most. */
  readonly limits?: Partial<LayerLimits>;
  /** Script of the worker thread: `snapshot/worker.ts` (the default, from source) or its bundle. */
  readonly worker?: string | URL;
}

export interface LayerInfo extends CommittedLayer {
  readonly parent: ChainId | null;
  readonly tarBytes: number;
}

/**
 * Layers as directories that overlay stacks, and writable roots on them. Satisfies the builder's `Snapshots` port and
 * the engine's `EngineSnapshots`. One process at a time may have a data folder open.
 */
export class LayerStore {
  /** What all of this takes on the disk. */
  readonly meter: LayerMeter;
  readonly #layout: Layout;
  readonly #layers: LayerIndex;
  readonly #roots: Roots;
  readonly #views: Views;
  readonly #background: Background;
  readonly #driver: StorageDriver;
  readonly #limits: LayerLimits;
  readonly #writer: LayerWriter;
  readonly #session: string;
  #temps = 0;

  constructor(options: LayerStoreOptions) {
    this.#layout = makeLayout(options.dataFolder);
    this.#layers = new LayerIndex(this.#layout);
    this.#background = new Background(options.worker ?? new URL('./worker.ts', import.meta.url));
    const shared = { layout: this.#layout, layers: this.#layers, background: this.#background };
    this.#driver = openDriver(options.driver ?? 'overlay2', { ...shared, makeTemp: () => this.#temp() });
    this.#roots = new Roots(this.#layout, this.#layers, this.#driver);
    this.#views = new Views(this.#layers, this.#driver);
    this.meter = new LayerMeter(this.#layout, this.#layers, this.#background);
    this.#limits = { ...LAYER_LIMITS, ...options.limits };
    const { form = 'directory', clock = Date.now } = options;
    this.#writer = new LayerWriter(this.#layers, form, clock);
    this.#session = `${process.pid.toString(36)}-${clock().toString(36)}`;
  }

  get driver(): DriverName {
    return this.#driver.name;
  }

  /**
   * Recovers after a crash: unmounts and removes roots that are not live (build roots never are), temps, half layers.
   * Call it once, before anything else uses the store.
   */
  async sweep(options: { readonly liveIds: ReadonlySet<string> }): Promise<void> {
    const { liveIds } = options;
    const parts = { layout: this.#layout, layers: this.#layers, roots: this.#roots, driver: this.#driver };
    await sweep({ ...parts, liveIds, makeTemp: () => this.#temp() });
  }

  async has(chain: ChainId): Promise<boolean> {
    return this.#layers.get(chain) !== undefined;
  }

  /** Every committed layer. */
  async chains(): Promise<readonly ChainId[]> {
    return [...this.#layers.all()].map(({ chainId: chain }) => chain);
  }

  async prepare(id: string, parent: ChainId | null): Promise<MountedRoot> {
    await this.#roots.create(id, { parent, unsynced: true });
    try {
      return this.#roots.mount(id);
    } catch (error) {
      await this.#roots.remove(id, this.#temp());
      throw error;
    }
  }

  async view(chain: ChainId): Promise<View> {
    return this.#views.open(chain);
  }

  async commit(root: { readonly id: string }, options: { readonly clampMtime?: number } = {}): Promise<CommittedLayer> {
    const taken = this.#roots.need(root.id);
    await this.#roots.unmount(root.id);
    const folder = this.#temp();
    const release = this.#layers.hold(taken.parent);
    try {
      const summary = await this.#driver.take(taken, folder, options);
      await this.#roots.dropShell(root.id);
      return await this.#writer.store(folder, taken.parent, summary);
    } finally {
      release();
      await this.#driver.removeFolder(folder);
    }
  }

  async discard(root: { readonly id: string }): Promise<void> {
    await this.#roots.remove(root.id, this.#temp());
  }

  async create(id: string, parent: ChainId | null): Promise<void> {
    await this.#roots.create(id, { parent, unsynced: false });
  }

  async mount(id: string): Promise<MountedRoot> {
    return this.#roots.mount(id);
  }

  async unmount(id: string): Promise<void> {
    await this.#roots.unmount(id);
  }

  async remove(id: string): Promise<void> {
    await this.#roots.remove(id, this.#temp());
  }

  /** What each writable root stands on, build steps' too. */
  async parents(): Promise<ReadonlyMap<string, ChainId | null>> {
    return new Map(this.#roots.ids().map((id) => [id, this.#roots.need(id).parent]));
  }

  /** Writable layers of containers. */
  async ids(): Promise<readonly string[]> {
    return this.#roots.ids().filter((id) => !id.startsWith(BUILD_ROOT_PREFIX));
  }

  async commitCopy(id: string): Promise<CommittedLayer> {
    const root = this.#roots.need(id);
    return this.#inNewFolder(root.parent, async (folder) =>
      this.#writer.store(folder, root.parent, await this.#driver.copy(root, folder)),
    );
  }

  /** The same content on another parent. Files are not copied: both layers have them. */
  async restack(chain: ChainId, parent: ChainId | null): Promise<CommittedLayer> {
    const { diffId, sizeBytes, tarBytes, forms } = this.#layers.need(chain);
    const known = this.#layers.get(chainId(parent, diffId));
    if (known) return publicPart(known);
    if (forms.includes('split')) return this.apply(parent, this.layerTar(chain), { expected: diffId });
    const copies = forms.includes('erofs');
    const release = this.#layers.hold(chain);
    try {
      return await this.#inNewFolder(parent, async (folder) => {
        await this.#background.run({
          kind: 'link',
          from: this.#layers.directory(chain),
          top: `${folder}/fs`,
          copies,
        });
        return this.#writer.store(folder, parent, { diffId, sizeBytes, tarBytes, files: copies ? undefined : [] });
      });
    } finally {
      release();
    }
  }

  async *exportTar(id: string): AsyncGenerator<Uint8Array> {
    const wasMounted = this.#roots.isMounted(id);
    const { path } = this.#roots.mount(id);
    try {
      yield* inTurns(packTree(layerItems(path, null, withoutMarks(walkTree(path, { live: true })))));
    } finally {
      if (!wasMounted) await this.#roots.unmount(id);
    }
  }

  async usage(id: string): Promise<number> {
    return this.#driver.usage(this.#roots.need(id));
  }

  /**
   * Unpacks a tar (plain or compressed) and commits it on a parent.
   * @param options `parentReady`: the parent need not be there before this resolves, and unpacking does not wait for it
   */
  async apply(
    parent: ChainId | null,
    tar: AsyncIterable<Uint8Array>,
    options: {
      readonly expected?: DiffId;
      readonly signal?: AbortSignal;
      readonly parentReady?: Promise<unknown>;
    } = {},
  ): Promise<CommittedLayer> {
    const { expected, signal, parentReady } = options;
    const folder = this.#temp();
    const holds = parentReady === undefined ? [this.#layers.hold(parent)] : [];
    const lowers = async () => {
      if (parentReady !== undefined) {
        await parentReady;
        holds.push(this.#layers.hold(parent));
      }
      return this.#layers.directories(parent);
    };
    try {
      mkdirSync(`${folder}/fs`, { recursive: true, mode: 0o700 });
      const place = { folder, isLowest: parent === null, lowers, roomBytes: this.freeBytes(), limits: this.#limits };
      const summary = await ingestLayer(this.#background, tar, { ...place, expected, signal });
      return await this.#writer.store(folder, parent, summary, { replaced: summary.replaced });
    } finally {
      for (const release of holds) release();
      await this.#driver.removeFolder(folder);
    }
  }

  async *layerTar(chain: ChainId): AsyncGenerator<Uint8Array> {
    const record = this.#layers.need(chain);
    const top = this.#layers.directory(chain);
    const release = this.#layers.hold(chain);
    try {
      if (record.forms.includes('split')) yield* inTurns(readSplit(dirname(top), record.replaced ?? []));
      else {
        const parentTop = this.#layers.directories(record.parent)[0] ?? null;
        yield* inTurns(packTree(layerItems(top, parentTop, walkTree(top))));
      }
    } finally {
      release();
    }
  }

  async layerInfo(chain: ChainId): Promise<LayerInfo | undefined> {
    const record = this.#layers.get(chain);
    return record && { ...publicPart(record), parent: record.parent, tarBytes: record.tarBytes };
  }

  async removeLayer(chain: ChainId): Promise<void> {
    if (this.#layers.get(chain) === undefined) return;
    const user = this.#layers.hasChildren(chain)
      ? 'another layer is built on it, or it is being read'
      : this.#roots.isUsed(chain) || this.#views.isUsed(chain)
        ? 'it is in use'
        : undefined;
    if (user) throw new BerthError('conflict', `layer ${chain} cannot be removed: ${user}`);
    const aside = this.#temp();
    await this.#layers.remove(chain, aside);
    await this.#driver.removeFolder(aside);
  }

  /** Runs `fill` with a temp that is like a layer's folder, with the top that its parent has; leaves nothing of it. */
  async #inNewFolder<T>(parent: ChainId | null, fill: (folder: string) => Promise<T>): Promise<T> {
    const folder = this.#temp();
    const release = this.#layers.hold(parent);
    try {
      mkdirSync(`${folder}/fs`, { recursive: true, mode: 0o700 });
      inheritTop(`${folder}/fs`, this.#layers.directories(parent)[0] ?? null);
      return await fill(folder);
    } finally {
      release();
      await this.#driver.removeFolder(folder);
    }
  }

  #temp(): string {
    this.#temps += 1;
    return `${this.#layout.temps}/${this.#session}-${this.#temps}`;
  }

  /** Bytes that new layers may still take; 0 when the disk counts as full. */
  freeBytes(): number {
    return freeBytes(this.#layout.folder);
  }
}

/** Opens, and makes where it is missing, the layer store of a data folder. */
export async function openLayerStore(options: LayerStoreOptions): Promise<LayerStore> {
  return new LayerStore(options);
}
