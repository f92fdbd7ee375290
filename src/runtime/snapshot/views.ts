import type { ChainId } from '../../oci/index.ts';
import type { StorageDriver } from './drivers/driver.ts';
import type { LayerIndex } from './layer-index.ts';

export interface View {
  readonly path: string;
  /** May be called twice. */
  release(): Promise<void>;
}

interface Shown {
  readonly path: Promise<string>;
  viewers: number;
  /** The path, once it is there. */
  opened?: string;
}

/** Read-only views of committed layers. Those of one chain are shared. */
export class Views {
  readonly #layers: LayerIndex;
  readonly #driver: StorageDriver;
  readonly #shown = new Map<ChainId, Shown>();

  constructor(layers: LayerIndex, driver: StorageDriver) {
    this.#layers = layers;
    this.#driver = driver;
  }

  isUsed(chain: ChainId): boolean {
    return this.#shown.has(chain);
  }

  /** @throws BerthError `not-found`, `invalid` for more layers than the driver can show */
  async open(chain: ChainId): Promise<View> {
    this.#layers.need(chain);
    const shown: Shown = this.#shown.get(chain) ?? { path: this.#driver.openView(chain), viewers: 0 };
    this.#shown.set(chain, shown);
    shown.viewers += 1;
    let released = false;
    const release = async () => {
      if (released) return;
      released = true;
      await this.#leave(chain, shown);
    };
    try {
      shown.opened = await shown.path;
      return { path: shown.opened, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #leave(chain: ChainId, shown: Shown): Promise<void> {
    shown.viewers -= 1;
    if (shown.viewers > 0) return;
    this.#shown.delete(chain);
    // At once: whoever opens the chain next gets a view of its own.
    if (shown.opened !== undefined) await this.#driver.closeView(shown.opened);
  }
}
