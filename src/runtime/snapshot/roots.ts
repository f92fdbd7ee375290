import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { BerthError } from '../../errors/index.ts';
import type { ChainId } from '../../oci/index.ts';
import type { Root, StorageDriver } from './drivers/driver.ts';
import { syncDirectory, writeJson } from './durable.ts';
import type { LayerIndex } from './layer-index.ts';
import type { Layout } from './layout.ts';

/** A mounted, writable root. Satisfies `WritableRoot` of the builder and `ContainerRoot` of the engine. */
export interface MountedRoot {
  readonly id: string;
  /** Absolute path of the merged tree. */
  readonly path: string;
  readonly parent: ChainId | null;
}

/** `root.json`. */
type RootRecord = Omit<Root, 'folder'>;

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** The writable roots: their folders, which of them are mounted, and which parent each has. */
export class Roots {
  readonly #layout: Layout;
  readonly #layers: LayerIndex;
  readonly #driver: StorageDriver;
  readonly #roots = new Map<string, Root>();
  readonly #mounted = new Set<string>();

  constructor(layout: Layout, layers: LayerIndex, driver: StorageDriver) {
    this.#layout = layout;
    this.#layers = layers;
    this.#driver = driver;
    for (const id of readdirSync(layout.roots)) {
      const record = readRecord(`${layout.roots}/${id}/root.json`);
      if (record) this.#roots.set(id, { ...record, folder: `${layout.roots}/${id}` });
    }
    for (const [id, root] of this.#roots) if (driver.isMounted(root)) this.#mounted.add(id);
  }

  ids(): string[] {
    return [...this.#roots.keys()];
  }

  path(id: string): string {
    return `${this.#layout.roots}/${id}/merged`;
  }

  isMounted(id: string): boolean {
    return this.#mounted.has(id);
  }

  isUsed(chain: ChainId): boolean {
    for (const { parent } of this.#roots.values()) if (parent === chain) return true;
    return false;
  }

  /** @throws BerthError `not-found` */
  need(id: string): Root {
    const root = this.#roots.get(id);
    if (root) return root;
    throw new BerthError('not-found', `no such writable layer: ${id}`);
  }

  /** @throws BerthError `conflict` when it exists, `not-found` for the parent */
  async create(id: string, record: RootRecord): Promise<void> {
    if (!ID.test(id)) throw new BerthError('invalid', `not an id for a root: ${JSON.stringify(id)}`);
    if (this.#roots.has(id)) throw new BerthError('conflict', `a writable layer ${id} exists already`);
    if (record.parent !== null) this.#layers.need(record.parent);
    const root = { ...record, folder: `${this.#layout.roots}/${id}` };
    this.#roots.set(id, root);
    try {
      // What a crash left here is no root: it has no record.
      if (existsSync(root.folder)) await this.#driver.removeFolder(root.folder);
      mkdirSync(root.folder, { mode: 0o700 });
      await this.#driver.make(root);
      await writeJson(`${root.folder}/root.json`, record, { sync: !record.unsynced });
      if (!record.unsynced) await syncDirectory(this.#layout.roots);
    } catch (error) {
      this.#roots.delete(id);
      await this.#driver.removeFolder(root.folder);
      throw error;
    }
  }

  /** Mounting twice gives the same mount. */
  mount(id: string): MountedRoot {
    const root = this.need(id);
    if (!this.#mounted.has(id)) this.#driver.mount(root);
    this.#mounted.add(id);
    return { id, path: this.path(id), parent: root.parent };
  }

  /** Idempotent. */
  async unmount(id: string): Promise<void> {
    const root = this.#roots.get(id);
    if (root && this.#mounted.delete(id)) await this.#driver.unmount(root);
  }

  /** Unmounts and deletes. Idempotent. */
  async remove(id: string, aside: string): Promise<void> {
    await this.unmount(id);
    const root = this.#roots.get(id);
    if (!root) return;
    await rename(root.folder, aside);
    this.#roots.delete(id);
    await this.#driver.removeFolder(aside);
  }

  /** Removes what is left of an unmounted root whose changes have been taken. */
  async dropShell(id: string): Promise<void> {
    const root = this.need(id);
    rmSync(`${root.folder}/root.json`, { force: true });
    await this.#driver.dropShell(root);
    this.#roots.delete(id);
  }
}

function readRecord(path: string): RootRecord | undefined {
  try {
    const { parent, unsynced } = JSON.parse(readFileSync(path, 'utf8')) as RootRecord;
    return { parent, unsynced };
  } catch {
    return undefined;
  }
}
