import { BerthError } from '../../errors/index.ts';
import { type ChainId, chainIds, type ImageConfig } from '../../oci/index.ts';
import type { EngineSnapshots } from '../ports.ts';

export type LayerInfo = NonNullable<Awaited<ReturnType<EngineSnapshots['layerInfo']>>>;

/** Every layer of an image, lowest first. @throws BerthError `internal` when one is not there */
export async function layersOf(snapshots: EngineSnapshots, config: ImageConfig): Promise<readonly LayerInfo[]> {
  return Promise.all(
    chainIds(config.rootfs.diff_ids).map(async (chain) => {
      const info = await snapshots.layerInfo(chain);
      if (info === undefined) throw missingLayer(chain);
      return info;
    }),
  );
}

export function missingLayer(chain: ChainId): BerthError {
  return new BerthError('internal', `a layer of the image is missing: ${chain}`, {
    hint: 'remove the image and load, pull or build it again',
  });
}

/** Sizes of layers, each asked for once: images share most of theirs. A missing layer counts nothing. */
export function layerSizes(snapshots: EngineSnapshots): (config: ImageConfig) => Promise<readonly number[]> {
  const sizes = new Map<ChainId, Promise<number>>();
  const sizeOf = (chain: ChainId) => {
    const known = sizes.get(chain) ?? snapshots.layerInfo(chain).then((info) => info?.sizeBytes ?? 0);
    sizes.set(chain, known);
    return known;
  };
  return (config) => Promise.all(chainIds(config.rootfs.diff_ids).map(sizeOf));
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
