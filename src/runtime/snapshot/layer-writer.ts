import { type ChainId, chainId } from '../../oci/index.ts';
import { syncFiles } from './durable.ts';
import { EROFS_IMAGE, makeErofs } from './erofs-form.ts';
import type { TreeSummary } from './jobs.ts';
import type { LayerIndex } from './layer-index.ts';
import { type CommittedLayer, type MountableForm, publicPart } from './layer-record.ts';
import type { Replaced } from './replaced.ts';

/** What came with a layer's tar: its split form is in the folder. */
interface Origin {
  readonly replaced: readonly Replaced[];
}

/** Makes finished folders layers. */
export class LayerWriter {
  readonly #layers: LayerIndex;
  readonly #form: MountableForm;
  readonly #clock: () => number;

  constructor(layers: LayerIndex, form: MountableForm, clock: () => number) {
    this.#layers = layers;
    this.#form = form;
    this.#clock = clock;
  }

  /**
   * Makes a folder with `fs/` a layer, durably, unless the layer is there already: then the folder stays where it is.
   * @param origin when it also has `layer.split`
   */
  async store(folder: string, parent: ChainId | null, summary: TreeSummary, origin?: Origin): Promise<CommittedLayer> {
    const { diffId, sizeBytes, tarBytes } = summary;
    const chain = chainId(parent, diffId);
    const known = this.#layers.get(chain);
    if (known) return publicPart(known);
    await syncFiles(folder, await this.#seal(folder, summary, origin !== undefined));
    const createdAt = new Date(this.#clock()).toISOString();
    const forms = origin ? ([this.#form, 'split'] as const) : [this.#form];
    const record = { chainId: chain, diffId, parent, sizeBytes, tarBytes, createdAt, forms };
    const { replaced = [] } = origin ?? {};
    return publicPart(await this.#layers.add(folder, replaced.length === 0 ? record : { ...record, replaced }));
  }

  /** @returns files that are to be synced; undefined for too many */
  async #seal(folder: string, summary: TreeSummary, hasSplit: boolean): Promise<readonly string[] | undefined> {
    const split = hasSplit ? ['layer.split'] : [];
    if (this.#form === 'directory') return summary.files?.map((path) => `fs/${path}`).concat(split);
    await makeErofs(folder, summary.diffId);
    // Contents that the archive itself replaced lie beside the image.
    return summary.files === undefined ? undefined : [EROFS_IMAGE, ...split];
  }
}
