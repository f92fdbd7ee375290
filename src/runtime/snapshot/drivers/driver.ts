import type { ChainId } from '../../../oci/index.ts';
import type { Background } from '../background.ts';
import type { TreeSummary } from '../jobs.ts';
import type { LayerIndex } from '../layer-index.ts';
import type { Layout } from '../layout.ts';

export type DriverName = 'overlay2' | 'btrfs' | 'vfs';

/** A writable root, as its driver sees it. */
export interface Root {
  /** Absolute; `merged` in it is where the tree is seen. */
  readonly folder: string;
  readonly parent: ChainId | null;
  /** A build step's, which a crash may lose. */
  readonly unsynced: boolean;
}

/**
 * What differs among storage drivers: how a tree that can be written is put on a stack of layers, and how its changes
 * are found. Committed layers are the same for all: a directory in the form of an overlay upper.
 */
export interface StorageDriver {
  readonly name: DriverName;
  /** Makes, in the root's empty folder, what it needs. */
  make(root: Root): Promise<void>;
  /** Was mounted by an earlier engine, and still is. */
  isMounted(root: Root): boolean;
  /** Lets the tree be seen at `merged`. Called when it is not. */
  mount(root: Root): void;
  unmount(root: Root): Promise<void>;
  /** Makes the changes of an unmounted root the `fs/` of the folder, which is made. Only `dropShell` may follow. */
  take(root: Root, folder: string, options: TakeOptions): Promise<TreeSummary>;
  /** Removes what `take` left of a root. */
  dropShell(root: Root): Promise<void>;
  /** Copies the changes, while others go on making some, to `fs/` of the folder, which has the parent's top. */
  copy(root: Root, folder: string): Promise<TreeSummary>;
  /** Bytes of file content that the root changed. */
  usage(root: Root): Promise<number>;
  /** @returns path of the tree of a layer on its parents. Nobody writes there. */
  openView(chain: ChainId): Promise<string>;
  /** Nobody needs what `openView` gave any more. */
  closeView(path: string): Promise<void>;
  /** Deletes a folder of the store, with all that this driver may have put into it. One that is not there is fine. */
  removeFolder(path: string): Promise<void>;
}

export interface TakeOptions {
  /** Seconds since the epoch; later times become this one. */
  readonly clampMtime?: number;
}

/** What drivers work with. */
export interface StoreParts {
  readonly layout: Layout;
  readonly layers: LayerIndex;
  readonly background: Background;
  /** A name for a new folder that does not outlive the engine. */
  readonly makeTemp: () => string;
}
