import type { ChainId } from '../../oci/index.ts';
import type { LayerFootprint } from './ports.ts';

/** The layers of a moment, and what sets of them take on the disk. Pure. */
export class LayerSet {
  readonly #layers: ReadonlyMap<ChainId, LayerFootprint>;

  constructor(layers: ReadonlyMap<ChainId, LayerFootprint>) {
    this.#layers = layers;
  }

  get all(): ReadonlySet<ChainId> {
    return new Set(this.#layers.keys());
  }

  get(chain: ChainId): LayerFootprint | undefined {
    return this.#layers.get(chain);
  }

  /** The layers of stacks, given by their tops; those that are not there are left out. */
  below(tops: Iterable<ChainId>): ReadonlySet<ChainId> {
    const found = new Set<ChainId>();
    for (const top of tops) {
      for (let chain: ChainId | null = top; chain !== null && !found.has(chain); ) {
        const layer = this.#layers.get(chain);
        if (layer === undefined) break;
        found.add(chain);
        chain = layer.parent;
      }
    }
    return found;
  }

  bytes(chains: Iterable<ChainId>): number {
    const counter = this.counter();
    let bytes = 0;
    for (const chain of chains) bytes += counter(chain);
    return bytes;
  }

  /** What comes back when these go and all others stay: linked copies give nothing while one of them stays. */
  freed(chains: ReadonlySet<ChainId>): number {
    const all = this.all;
    return this.bytes(all) - this.bytes(without(all, chains));
  }

  /** A function that tells what each further layer adds to those that it was called with before. */
  counter(): (chain: ChainId) => number {
    const counted = new Set<ChainId>();
    const groups = new Set<string>();
    return (chain) => {
      const layer = this.#layers.get(chain);
      if (layer === undefined || counted.has(chain)) return 0;
      counted.add(chain);
      const { bytes, linkGroup, linkedBytes } = layer;
      if (linkGroup === null) return bytes;
      const isCopy = groups.has(linkGroup);
      groups.add(linkGroup);
      return isCopy ? bytes - linkedBytes : bytes;
    };
  }
}

export function without<T>(set: ReadonlySet<T>, others: ReadonlySet<T>): ReadonlySet<T> {
  return new Set([...set].filter((item) => !others.has(item)));
}
