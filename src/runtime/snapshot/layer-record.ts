import type { ChainId, DiffId } from '../../oci/index.ts';
import type { Replaced } from './replaced.ts';

/** In which shapes a layer is there. @see ARCHITECTURE.md, "A layer has forms" */
export type LayerForm =
  | MountableForm
  /** `layer.split`, with `fs/` and `kept/` the exact bytes of the tar that it came from. Without it the tar is canonical. */
  | 'split';

export type MountableForm =
  /** `fs/`, an overlay upper. */
  | 'directory'
  /** `layer.erofs`, the same as an image, which is mounted at `fs/` when it is needed. */
  | 'erofs';

/** `layer.json`. */
export interface LayerRecord {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  readonly parent: ChainId | null;
  /** Bytes of file content. */
  readonly sizeBytes: number;
  readonly tarBytes: number;
  /** ISO time. */
  readonly createdAt: string;
  readonly forms: readonly LayerForm[];
  /** Name below `l/`. */
  readonly link: string;
  readonly replaced?: readonly Replaced[];
}

/** A committed layer, as its users see it. */
export interface CommittedLayer {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  /** Bytes of file content. */
  readonly sizeBytes: number;
}

export function publicPart({ chainId: chain, diffId, sizeBytes }: LayerRecord): CommittedLayer {
  return { chainId: chain, diffId, sizeBytes };
}
