import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { BerthError } from '../../errors/index.ts';
import type { ChainId } from '../../oci/index.ts';
import { flags, umount, umountInThread } from '../linux/libc.ts';
import { mountsBelow } from '../linux/mount-table.ts';
import { mountOverlay } from '../linux/overlay.ts';
import { syncDirectory, writeJson } from './durable.ts';
import type { LayerIndex } from './layer-index.ts';
import type { Layout } from './layout.ts';
import { removeTree } from './remove-tree.ts';
import { inheritTop } from './root-item.ts';

/** A mounted, writable root. Satisfies `WritableRoot` of the builder and `ContainerRoot` of the engine. */
export interface MountedRoot {
  readonly id: string;
  /** Absolute path of the merged tree. */
  readonly path: string;
  readonly parent: ChainId | null;
}

/** What is known of a root: its parent, and whether it is a build step's, which a crash may lose. */
interface RootRecord {
  readonly parent: ChainId | null;
  readonly unsynced: boolean;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** The writable roots: their folders, their mounts, and which parent each has. */
export class Roots {
  readonly #layout: Layout;
  readonly #layers: LayerIndex;
  readonly #records = new Map<string, RootRecord>();
  readonly #mounted = new Set<string>();

  constructor(layout: Layout, layers: LayerIndex) {
    this.#layout = layout;
    this.#layers = layers;
    for (const id of readdirSync(layout.roots)) {
      const record = readRecord(`${layout.roots}/${id}/root.json`);
      if (record) this.#records.set(id, record);
    }
    const mounts = new Set(mountsBelow(layout.roots));
    for (const id of this.#records.keys()) if (mounts.has(this.path(id))) this.#mounted.add(id);
  }

  ids(): string[] {
    return [...this.#records.keys()];
  }

  path(id: string): string {
    return `${this.#layout.roots}/${id}/merged`;
  }

  upper(id: string): string {
    return `${this.#layout.roots}/${id}/upper`;
  }

  isMounted(id: string): boolean {
    return this.#mounted.has(id);
  }

  isUsed(chain: ChainId): boolean {
    for (const record of this.#records.values()) if (record.parent === chain) return true;
    return false;
  }

  /** @throws BerthError `not-found` */
  parent(id: string): ChainId | null {
    return this.#need(id).parent;
  }

  /** @throws BerthError `conflict` when it exists, `not-found` for the parent */
  async create(id: string, record: RootRecord): Promise<void> {
    if (!ID.test(id)) throw new BerthError('invalid', `not an id for a root: ${JSON.stringify(id)}`);
    if (this.#records.has(id)) throw new BerthError('conflict', `a writable layer ${id} exists already`);
    const parentTop = this.#layers.directories(record.parent)[0] ?? null;
    const folder = `${this.#layout.roots}/${id}`;
    this.#records.set(id, record);
    try {
      // What a crash left here is no root: it has no record.
      if (existsSync(folder)) await removeTree(folder);
      mkdirSync(folder, { mode: 0o700 });
      for (const name of ['upper', 'work', 'merged']) mkdirSync(`${folder}/${name}`, { mode: 0o700 });
      inheritTop(`${folder}/upper`, parentTop);
      await writeJson(`${folder}/root.json`, record, { sync: !record.unsynced });
      if (!record.unsynced) await syncDirectory(this.#layout.roots);
    } catch (error) {
      this.#records.delete(id);
      await removeTree(folder);
      throw error;
    }
  }

  /** Mounting twice gives the same mount. */
  mount(id: string): MountedRoot {
    const { parent, unsynced } = this.#need(id);
    const root = { id, path: this.path(id), parent };
    if (this.#mounted.has(id)) return root;
    const lowers = this.#layers.stack(parent).map(({ link }) => `l/${link}`);
    mountOverlay({
      folder: this.#layout.folder,
      lowers: lowers.length === 0 ? ['empty'] : lowers,
      writable: { upper: `roots/${id}/upper`, work: `roots/${id}/work` },
      target: `roots/${id}/merged`,
      unsynced,
    });
    this.#mounted.add(id);
    return root;
  }

  /** Idempotent. */
  async unmount(id: string): Promise<void> {
    if (!this.#mounted.delete(id)) return;
    // Detached: a process that still stands in it must not keep a root from being removed.
    if (this.#records.get(id)?.unsynced) umount(this.path(id), flags.MNT_DETACH);
    else await umountInThread(this.path(id), flags.MNT_DETACH);
  }

  /** Unmounts and deletes. Idempotent. */
  async remove(id: string, aside: string): Promise<void> {
    await this.unmount(id);
    if (!this.#records.has(id)) return;
    await rename(`${this.#layout.roots}/${id}`, aside);
    this.#records.delete(id);
    await removeTree(aside);
  }

  /** Removes what is left of an unmounted root whose upper has been taken. */
  dropShell(id: string): void {
    const folder = `${this.#layout.roots}/${id}`;
    rmSync(`${folder}/root.json`, { force: true });
    rmSync(`${folder}/work`, { recursive: true, force: true });
    rmdirSync(`${folder}/merged`);
    rmdirSync(folder);
    this.#records.delete(id);
  }

  #need(id: string): RootRecord {
    const record = this.#records.get(id);
    if (record) return record;
    throw new BerthError('not-found', `no such writable layer: ${id}`);
  }
}

function readRecord(path: string): RootRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RootRecord;
  } catch {
    return undefined;
  }
}
