import { existsSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
import type { ChainId } from '../../../oci/index.ts';
import { createSubvolume, destroySubvolume, snapshotSubvolume } from '../../linux/btrfs.ts';
import { syncFiles } from '../durable.ts';
import type { TreeSummary } from '../jobs.ts';
import { layerFolder } from '../layout.ts';
import { removeTree } from '../remove-tree.ts';
import { inheritTop } from '../root-item.ts';
import type { BaselineSource } from '../tree/baseline.ts';
import type { Root, StorageDriver, StoreParts, TakeOptions } from './driver.ts';

/** Names of subvolumes within the folders of roots and layers. */
const SUBVOLUMES = ['tree', 'merged'] as const;
/** Inode number of every subvolume's top. */
const SUBVOLUME_INODE = 256;

/**
 * For data folders on btrfs: a root is a snapshot of its parent's tree, and what differs in inode or time was changed.
 *
 *     layers/<chain hex>/tree   the layer on its parents; made when it is first needed, its blocks are those of fs/
 *     roots/<id>/merged         a snapshot of it
 */
export class BtrfsDriver implements StorageDriver {
  readonly name = 'btrfs';
  readonly #parts: StoreParts;
  readonly #growing = new Map<ChainId, Promise<string>>();

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async make(root: Root): Promise<void> {
    await this.#sprout(root.parent, `${root.folder}/merged`);
    if (!root.unsynced) await syncFiles(root.folder, undefined);
  }

  isMounted(): boolean {
    return false;
  }

  mount(): void {}

  async unmount(): Promise<void> {}

  /** The snapshot itself becomes the tree of the new layer. */
  async take(root: Root, folder: string, options: TakeOptions): Promise<TreeSummary> {
    mkdirSync(`${folder}/fs`, { recursive: true, mode: 0o700 });
    const summary = await this.#collect(root, `${folder}/fs`, options);
    // With other times than the layer's it would be another tree.
    if (options.clampMtime === undefined) renameSync(`${root.folder}/merged`, `${folder}/tree`);
    return summary;
  }

  async dropShell({ folder }: Root): Promise<void> {
    await this.removeFolder(folder);
  }

  async copy(root: Root, folder: string): Promise<TreeSummary> {
    return this.#collect(root, `${folder}/fs`, {});
  }

  async usage(root: Root): Promise<number> {
    const lowers = this.#parts.layers.directories(root.parent);
    const baseline = this.#baselineOf(root);
    return this.#parts.background.run({ kind: 'measure-changes', top: `${root.folder}/merged`, baseline, lowers });
  }

  openView(chain: ChainId): Promise<string> {
    return this.#treeOf(chain);
  }

  async closeView(): Promise<void> {}

  async removeFolder(path: string): Promise<void> {
    const isFolder = lstatSync(path, { throwIfNoEntry: false })?.isDirectory();
    for (const name of isFolder ? SUBVOLUMES : []) {
      const stat = lstatSync(`${path}/${name}`, { throwIfNoEntry: false });
      if (stat?.isDirectory() && stat.ino === SUBVOLUME_INODE) destroyQuickly(`${path}/${name}`);
    }
    await removeTree(path);
  }

  /** A new subvolume with the tree of a chain. */
  async #sprout(chain: ChainId | null, path: string): Promise<void> {
    if (chain !== null) {
      snapshotSubvolume(await this.#treeOf(chain), path);
      return;
    }
    createSubvolume(path);
    inheritTop(path, null);
  }

  #treeOf(chain: ChainId): Promise<string> {
    const path = `${layerFolder(this.#parts.layout, chain)}/tree`;
    if (existsSync(path)) return Promise.resolve(path);
    const growing = this.#growing.get(chain) ?? this.#grow(chain, path).finally(() => this.#growing.delete(chain));
    this.#growing.set(chain, growing);
    return growing;
  }

  async #grow(chain: ChainId, path: string): Promise<string> {
    const { layers, background, makeTemp } = this.#parts;
    const folder = makeTemp();
    const release = layers.hold(chain);
    try {
      mkdirSync(folder, { mode: 0o700 });
      const tree = `${folder}/tree`;
      await this.#sprout(layers.need(chain).parent, tree);
      await background.run({ kind: 'graft', top: tree, from: layers.directory(chain) });
      await syncFiles(folder, undefined);
      renameSync(tree, path);
      return path;
    } finally {
      release();
      await this.removeFolder(folder);
    }
  }

  /** Files are copied, since none moves between subvolumes, but their blocks are shared. */
  async #collect(root: Root, top: string, options: TakeOptions): Promise<TreeSummary> {
    const from = `${root.folder}/merged`;
    const source = { kind: 'tree', from, baseline: this.#baselineOf(root), move: false } as const;
    const lowers = this.#parts.layers.directories(root.parent);
    const summary = await this.#parts.background.run({ kind: 'finalize', top, source, lowers, ...options });
    // All of the file system is synced: the tree is to be durable, too.
    return { ...summary, files: undefined };
  }

  #baselineOf({ folder, parent }: Root): BaselineSource {
    const { layout } = this.#parts;
    const top = parent === null ? `${layout.folder}/empty` : `${layerFolder(layout, parent)}/tree`;
    // The record was written as soon as the snapshot was there.
    return { kind: 'twin', top, mark: `${folder}/root.json` };
  }
}

/** One that has subvolumes in it, which a container may have made, is left to be removed file by file. */
function destroyQuickly(path: string): void {
  try {
    destroySubvolume(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
  }
}
