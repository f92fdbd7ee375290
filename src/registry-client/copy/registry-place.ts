import { BerthError } from '../../errors/index.ts';
import { type Digest, familiarName, type Reference, withDefaultTag } from '../../oci/index.ts';
import type { RegistryClient } from '../client.ts';
import type { CopySource, CopyTarget } from './ports.ts';
import { RewindableBlob } from './rewindable.ts';

/** An image in a registry, to read. */
export function registrySource(client: RegistryClient, reference: Reference): CopySource {
  const { registry, repository } = reference;
  return {
    name: familiarName(reference),
    repository: { registry, repository },
    allowsForeignLayers: client.allowsForeignLayers,
    getDocument: (digest, signal) =>
      client.getManifest(digest === undefined ? withDefaultTag(reference) : { registry, repository, digest }, signal),
    openBlob: (blob, options) => client.fetchBlob(reference, blob, options),
    listReferrers: (digest, signal) => client.listReferrers({ registry, repository, digest }, { signal }),
    close: async () => {},
  };
}

/** A name in a registry, to write. @throws BerthError `invalid` for a tag together with a digest */
export function registryTarget(client: RegistryClient, reference: Reference): CopyTarget {
  const { registry, repository } = reference;
  if (reference.digest !== undefined && reference.tag !== undefined) {
    throw new BerthError(
      'invalid',
      `${familiarName(reference)}: an image is copied to a tag or to a digest, not to both`,
    );
  }
  const named = withDefaultTag(reference);
  return {
    name: familiarName(named),
    repository: { registry, repository },
    hasDocument: async (digest, signal) =>
      (await client.headManifest({ registry, repository, digest }, signal)) !== undefined,
    async putBlob(blob, source, { onProgress, signal }) {
      const from = source.repository;
      const mountFrom = from?.registry === registry && from.repository !== repository ? [from.repository] : [];
      const content = new RewindableBlob(blob, (options) => source.openBlob(blob, { ...options, signal }));
      try {
        const open = (offset: number) => content.open(offset);
        return await client.uploadBlob(reference, { ...blob, open }, { mountFrom, onProgress, signal });
      } finally {
        await content.close();
      }
    },
    async putDocument({ bytes, digest, document }, { isTop, signal }) {
      checkDigest(named, digest, isTop);
      const { mediaType } = document;
      const target =
        isTop && named.tag !== undefined ? { registry, repository, tag: named.tag } : { registry, repository, digest };
      await client.putManifest(target, { bytes, mediaType, signal });
    },
    commit: async () => {},
    close: async () => {},
  };
}

function checkDigest({ digest: wanted }: Reference, digest: Digest, isTop: boolean): void {
  if (!isTop || wanted === undefined || wanted === digest) return;
  throw new BerthError('invalid', `the image has the digest ${digest}, not ${wanted}`);
}
