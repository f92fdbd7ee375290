import { type ChainId, chainId } from '../../../oci/index.ts';
import { verified } from '../content.ts';
import type { ImagePorts } from '../context.ts';
import type { ImagePlan, LayerPlan } from './plan.ts';

/** How far the layers of one image are. */
interface Progress {
  readonly plan: ImagePlan;
  chain: ChainId | null;
  next: number;
}

/** Commits the layers of planned images, and takes back what it added when the load fails. */
export class LayerIntake {
  readonly #ports: ImagePorts;
  readonly #signal: AbortSignal;
  readonly #releases: (() => void)[] = [];
  readonly #added: ChainId[] = [];
  #images: readonly Progress[] = [];

  constructor(ports: ImagePorts, signal: AbortSignal) {
    this.#ports = ports;
    this.#signal = signal;
  }

  async begin(plans: readonly ImagePlan[]): Promise<void> {
    this.#images = plans.map((plan) => ({ plan, chain: null, next: 0 }));
    for (const image of this.#images) await this.#skipPresent(image);
  }

  /** True when no image waits for the content at this path, nor can reach it by a link. */
  isUnneeded(path: string): boolean {
    return this.#onlyBlobs() && this.#wanting(path).length === 0;
  }

  /** True when every image that wants the content at this path wants it next, and once: then it can stream in. */
  canUse(path: string): boolean {
    const wanting = this.#wanting(path);
    return (
      wanting.length > 0 &&
      this.#onlyBlobs() &&
      wanting.every(({ plan, next, chain }) => {
        const [head, ...later] = plan.layers.slice(next);
        return head?.path === path && chain === wanting[0]?.chain && !later.some((layer) => layer.path === path);
      })
    );
  }

  /** Commits the layer at a path for everyone who `canUse` it now. */
  async use(path: string, content: AsyncIterable<Uint8Array>): Promise<LayerPlan | undefined> {
    const image = this.#images.find(({ plan, next }) => plan.layers[next]?.path === path);
    const layer = image?.plan.layers[image.next];
    if (image === undefined || layer === undefined) return undefined;
    await this.#commit(image.chain, layer, content);
    for (const other of this.#images) await this.#skipPresent(other);
    return layer;
  }

  /** Commits everything that is still missing, in order. Yields each layer that was added. */
  async *rest(open: (path: string) => AsyncIterable<Uint8Array>): AsyncGenerator<LayerPlan> {
    for (const image of this.#images) {
      for (;;) {
        await this.#skipPresent(image);
        const layer = image.plan.layers[image.next];
        if (layer === undefined) break;
        await this.#commit(image.chain, layer, open(layer.path));
        yield layer;
      }
    }
  }

  /** Forgets the leases: the images are stored, or the layers may go. */
  release(): void {
    for (const release of this.#releases.splice(0)) release();
  }

  /** Removes the layers that this load added and that nothing else came to need meanwhile. */
  async undo(): Promise<void> {
    this.release();
    await this.#ports.garbage.removeUnneeded(this.#added.splice(0));
  }

  #wanting(path: string): readonly Progress[] {
    return this.#images.filter(({ plan, next }) => plan.layers.slice(next).some((layer) => layer.path === path));
  }

  /** In archives of the old form a layer's path may be a link to another's: what streams by may be wanted under it. */
  #onlyBlobs(): boolean {
    return this.#images.every(({ plan }) => plan.layers.every(({ digest }) => digest !== undefined));
  }

  async #commit(parent: ChainId | null, layer: LayerPlan, content: AsyncIterable<Uint8Array>): Promise<void> {
    this.#signal.throwIfAborted();
    const { digest, diffId } = layer;
    // For an uncompressed layer the diff ID says the same, and `apply` checks that.
    const checked = digest === undefined || digest === diffId ? content : verified(content, { digest });
    const committed = await this.#ports.snapshots.apply(parent, checked, { expected: diffId, signal: this.#signal });
    this.#added.push(committed.chainId);
  }

  async #skipPresent(image: Progress): Promise<void> {
    for (;;) {
      const layer = image.plan.layers[image.next];
      if (layer === undefined) return;
      const chain = chainId(image.chain, layer.diffId);
      this.#releases.push(await this.#ports.garbage.lease([chain]));
      if (!(await this.#ports.snapshots.has(chain))) return;
      image.chain = chain;
      image.next += 1;
    }
  }
}
