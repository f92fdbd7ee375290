import type { JsonMessage } from '../../api/contract/index.ts';
import { BerthError } from '../../errors/index.ts';
import { canonicalJson, chainIds, type ImageConfig, parsePlatform } from '../../oci/index.ts';
import { formatRfc3339Nano } from '../../units/index.ts';
import type { ImportQuery } from '../api.ts';
import type { CommittedLayer } from '../ports.ts';
import { applyChanges } from './changes.ts';
import type { ImageContext } from './context.ts';
import { optionalName, shown } from './names.ts';

/**
 * Makes an image of one layer from a root file system tar. What can be wrong with the request is found before the tar
 * is read; a tar that is refused leaves nothing.
 * @throws BerthError `invalid`, `exhausted`, `cancelled`
 */
export async function* importImage(
  context: ImageContext,
  tar: AsyncIterable<Uint8Array>,
  query: ImportQuery,
): AsyncGenerator<JsonMessage> {
  const { images, snapshots, garbage, clock } = context.ports;
  const names = optionalName(query.repo, query.tag);
  const platform = query.platform ? parsePlatform(query.platform) : context.platform;
  const config = applyChanges({}, query.changes);
  const layer = await snapshots.apply(null, tar, { signal: query.signal });
  const release = await garbage.lease([layer.chainId]);
  let stored = false;
  try {
    if (!(await snapshots.has(layer.chainId))) {
      throw new BerthError('conflict', 'the imported layer was removed together with an image that had it', {
        hint: 'import it again',
      });
    }
    const created = formatRfc3339Nano(clock.now());
    const document: ImageConfig = { ...platform, created, config, ...rootOf(layer, created, query.message) };
    const image = await images.put(Buffer.from(canonicalJson(document)), names);
    stored = true;
    context.publish('import', image, names[0] === undefined ? image.id : shown(names[0]));
    yield { status: image.id };
  } finally {
    release();
    if (!stored) await garbage.removeUnneeded(chainIds([layer.diffId]));
  }
}

function rootOf({ diffId }: CommittedLayer, created: string, message: string | undefined) {
  return {
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, comment: message || 'Imported from -' }],
  } satisfies Pick<ImageConfig, 'rootfs' | 'history'>;
}
