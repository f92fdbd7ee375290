import { mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { type ChainId, hexOf } from '../../../oci/index.ts';
import { flags, umount, umountInThread } from '../../linux/libc.ts';
import { mountsBelow } from '../../linux/mount-table.ts';
import { mountOverlay } from '../../linux/overlay.ts';
import type { TreeSummary } from '../jobs.ts';
import { removeTree } from '../remove-tree.ts';
import { inheritTop } from '../root-item.ts';
import type { Root, StorageDriver, StoreParts, TakeOptions } from './driver.ts';

/** The kernel stacks the layers' directories. A root's changes are in a directory of their own, which becomes a layer. */
export class OverlayDriver implements StorageDriver {
  readonly name = 'overlay2';
  readonly #parts: StoreParts;
  /** What an earlier engine left mounted. */
  readonly #mounted: ReadonlySet<string>;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#mounted = new Set(mountsBelow(parts.layout.roots));
  }

  async make({ folder, parent }: Root): Promise<void> {
    for (const name of ['upper', 'work', 'merged']) mkdirSync(`${folder}/${name}`, { mode: 0o700 });
    inheritTop(`${folder}/upper`, this.#parts.layers.directories(parent)[0] ?? null);
  }

  isMounted({ folder }: Root): boolean {
    return this.#mounted.has(`${folder}/merged`);
  }

  mount({ folder, parent, unsynced }: Root): void {
    const { layout, layers } = this.#parts;
    const place = folder.slice(layout.folder.length + 1);
    const lowers = layers.stack(parent).map(({ link }) => `l/${link}`);
    mountOverlay({
      folder: layout.folder,
      lowers: lowers.length === 0 ? ['empty'] : lowers,
      writable: { upper: `${place}/upper`, work: `${place}/work` },
      target: `${place}/merged`,
      unsynced,
    });
  }

  /** Detached: a process that still stands in it must not keep a root from being removed. */
  async unmount({ folder, unsynced }: Root): Promise<void> {
    if (unsynced) umount(`${folder}/merged`, flags.MNT_DETACH);
    else await umountInThread(`${folder}/merged`, flags.MNT_DETACH);
  }

  /** Moves the upper: nothing is copied. */
  async take(root: Root, folder: string, options: TakeOptions): Promise<TreeSummary> {
    const top = `${root.folder}/upper`;
    const lowers = this.#parts.layers.directories(root.parent);
    const summary = await this.#parts.background.run({ kind: 'finalize', top, lowers, ...options });
    mkdirSync(folder, { mode: 0o700 });
    renameSync(top, `${folder}/fs`);
    return summary;
  }

  async dropShell({ folder }: Root): Promise<void> {
    rmSync(`${folder}/work`, { recursive: true, force: true });
    rmdirSync(`${folder}/merged`);
    rmdirSync(folder);
  }

  async copy(root: Root, folder: string): Promise<TreeSummary> {
    const lowers = this.#parts.layers.directories(root.parent);
    const source = { kind: 'upper', from: `${root.folder}/upper` } as const;
    return this.#parts.background.run({ kind: 'finalize', top: `${folder}/fs`, source, lowers });
  }

  async usage({ folder }: Root): Promise<number> {
    return this.#parts.background.run({ kind: 'measure', top: `${folder}/upper` });
  }

  /** A single layer is its own view. */
  async openView(chain: ChainId): Promise<string> {
    const { layout, layers } = this.#parts;
    const stack = layers.stack(chain);
    if (stack.length === 1) return layers.directory(chain);
    const path = `${layout.views}/${hexOf(chain)}`;
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const lowers = stack.map(({ link }) => `l/${link}`);
    mountOverlay({ folder: layout.folder, lowers, target: `views/${hexOf(chain)}` });
    return path;
  }

  async closeView(path: string): Promise<void> {
    if (!path.startsWith(`${this.#parts.layout.views}/`)) return;
    umount(path, flags.MNT_DETACH);
    rmdirSync(path);
  }

  removeFolder(path: string): Promise<void> {
    return removeTree(path);
  }
}
