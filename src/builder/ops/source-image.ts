import { BerthError } from '../../errors/index.ts';
import type { ChainId } from '../../oci/index.ts';
import type { SourceImageOp } from '../plan/graph.ts';
import type { BuilderPorts } from '../ports.ts';

/** The layers of a base image, which must be stored. */
export async function sourceImage(ports: BuilderPorts, { name, chain }: SourceImageOp): Promise<ChainId | null> {
  if (chain !== null && !(await ports.snapshots.has(chain))) {
    throw new BerthError('not-found', `the layers of ${name} are not in the store`, {
      hint: 'load or pull the image again',
    });
  }
  return chain;
}
