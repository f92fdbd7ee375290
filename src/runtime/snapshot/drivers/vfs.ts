import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChainId, hexOf } from '../../../oci/index.ts';
import { syncFiles } from '../durable.ts';
import type { TreeSummary } from '../jobs.ts';
import { removeTree } from '../remove-tree.ts';
import type { BaselineSource, TreeTable } from '../tree/baseline.ts';
import type { Root, StorageDriver, StoreParts, TakeOptions } from './driver.ts';

/**
 * For hosts without overlay: a root is a copy of the whole tree, and its changes are found by comparing. Slow, and it
 * takes space for every root; blocks are shared where the file system can.
 *
 *     roots/<id>/merged         the tree
 *                baseline.json  what it looked like when it was made
 *     views/<chain hex>-<n>/    a copy, while somebody views the chain
 */
export class VfsDriver implements StorageDriver {
  readonly name = 'vfs';
  readonly #parts: StoreParts;
  #views = 0;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  async make(root: Root): Promise<void> {
    const top = `${root.folder}/merged`;
    mkdirSync(top, { mode: 0o700 });
    const { directories, ctimeMs } = await this.#plant(root.parent, top);
    const table: TreeTable = { since: await timeAfter(ctimeMs, root.folder), directories };
    writeFileSync(`${root.folder}/baseline.json`, JSON.stringify(table), { mode: 0o600 });
    if (!root.unsynced) await syncFiles(root.folder, undefined);
  }

  isMounted(): boolean {
    return false;
  }

  mount(): void {}

  async unmount(): Promise<void> {}

  async take(root: Root, folder: string, options: TakeOptions): Promise<TreeSummary> {
    mkdirSync(`${folder}/fs`, { recursive: true, mode: 0o700 });
    return this.#collect(root, `${folder}/fs`, { ...options, move: true });
  }

  async dropShell({ folder }: Root): Promise<void> {
    await removeTree(folder);
  }

  async copy(root: Root, folder: string): Promise<TreeSummary> {
    return this.#collect(root, `${folder}/fs`, { move: false });
  }

  async usage(root: Root): Promise<number> {
    const lowers = this.#parts.layers.directories(root.parent);
    const top = `${root.folder}/merged`;
    return this.#parts.background.run({ kind: 'measure-changes', top, baseline: baselineOf(root), lowers });
  }

  /** A single layer is its own view. */
  async openView(chain: ChainId): Promise<string> {
    const { layout, layers } = this.#parts;
    if (layers.stack(chain).length === 1) return layers.directory(chain);
    this.#views += 1;
    const path = `${layout.views}/${hexOf(chain)}-${this.#views}`;
    mkdirSync(path, { mode: 0o700 });
    try {
      await this.#plant(chain, path);
    } catch (error) {
      await removeTree(path);
      throw error;
    }
    return path;
  }

  async closeView(path: string): Promise<void> {
    const { layout, makeTemp } = this.#parts;
    if (!path.startsWith(`${layout.views}/`)) return;
    const aside = makeTemp();
    renameSync(path, aside);
    await removeTree(aside);
  }

  removeFolder(path: string): Promise<void> {
    return removeTree(path);
  }

  #plant(parent: ChainId | null, top: string) {
    const { background, layers } = this.#parts;
    return background.run({ kind: 'plant', top, lowers: layers.directories(parent) });
  }

  #collect(root: Root, top: string, options: TakeOptions & { readonly move: boolean }): Promise<TreeSummary> {
    const { move, ...rest } = options;
    const source = { kind: 'tree', from: `${root.folder}/merged`, baseline: baselineOf(root), move } as const;
    const lowers = this.#parts.layers.directories(root.parent);
    return this.#parts.background.run({ kind: 'finalize', top, source, lowers, ...rest });
  }
}

function baselineOf({ folder }: Root): BaselineSource {
  return { kind: 'table', file: `${folder}/baseline.json` };
}

/** A time on the clock of a file system after another: that clock goes in steps of milliseconds. */
async function timeAfter(earlierMs: number, folder: string): Promise<number> {
  const mark = `${folder}/mark`;
  for (;;) {
    writeFileSync(mark, '');
    const { ctimeMs } = statSync(mark);
    rmSync(mark);
    if (ctimeMs > earlierMs) return ctimeMs;
    await delay(1);
  }
}
