import { mkdirSync, rmdirSync } from 'node:fs';
import { type ChainId, hexOf } from '../../oci/index.ts';
import { flags, umount } from '../linux/libc.ts';
import { mountOverlay } from '../linux/overlay.ts';
import type { LayerIndex } from './layer-index.ts';
import { type Layout, layerFolder } from './layout.ts';

export interface View {
  readonly path: string;
  /** May be called twice. */
  release(): Promise<void>;
}

/** Read-only views of committed layers. Those of one chain share a mount; a single layer is its own view. */
export class Views {
  readonly #layout: Layout;
  readonly #layers: LayerIndex;
  readonly #viewers = new Map<ChainId, number>();

  constructor(layout: Layout, layers: LayerIndex) {
    this.#layout = layout;
    this.#layers = layers;
  }

  isUsed(chain: ChainId): boolean {
    return this.#viewers.has(chain);
  }

  open(chain: ChainId): View {
    const stack = this.#layers.stack(chain);
    const viewers = this.#viewers.get(chain) ?? 0;
    const isMount = stack.length > 1;
    const path = isMount ? `${this.#layout.views}/${hexOf(chain)}` : `${layerFolder(this.#layout, chain)}/fs`;
    if (viewers === 0 && isMount) {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      mountOverlay({
        folder: this.#layout.folder,
        lowers: stack.map(({ link }) => `l/${link}`),
        target: `views/${hexOf(chain)}`,
      });
    }
    this.#viewers.set(chain, viewers + 1);
    let released = false;
    return {
      path,
      release: async () => {
        if (released) return;
        released = true;
        this.#leave(chain, isMount ? path : undefined);
      },
    };
  }

  #leave(chain: ChainId, mountPoint: string | undefined): void {
    const left = this.#viewers.get(chain)! - 1;
    if (left > 0) {
      this.#viewers.set(chain, left);
      return;
    }
    this.#viewers.delete(chain);
    if (mountPoint === undefined) return;
    umount(mountPoint, flags.MNT_DETACH);
    rmdirSync(mountPoint);
  }
}
