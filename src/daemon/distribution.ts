import type { DistributionApi } from '../api/server/index.ts';
import { type Descriptor, type Platform, parseReference } from '../oci/index.ts';
import { isAttestation, type RegistryClient } from '../registry-client/index.ts';
import { keychainOf } from './credentials.ts';

const MAX_CONFIG = 8 * 1024 * 1024;

/** Tells what a registry has under a name, with the credentials that came with the question. */
export function createDistribution(registries: RegistryClient): DistributionApi {
  return {
    async inspect(name, { auth, signal }) {
      const reference = parseReference(name);
      const client = registries.as(keychainOf(auth, reference.registry));
      const { document, digest, bytes } = await client.getManifest(reference, signal);
      const { mediaType } = document;
      const platforms =
        document.kind === 'index'
          ? document.index.manifests.flatMap((entry) =>
              entry.platform && !isAttestation(entry) ? [entry.platform] : [],
            )
          : await platformOf(document.manifest.config, (blob) => client.fetchBlob(reference, blob, { signal }));
      return { Descriptor: { mediaType, digest, size: bytes.length }, Platforms: platforms };
    },
  };
}

async function platformOf(
  config: Descriptor,
  read: (blob: Descriptor) => AsyncIterable<Uint8Array>,
): Promise<readonly Platform[]> {
  if (config.size > MAX_CONFIG) return [];
  const chunks: Uint8Array[] = [];
  for await (const chunk of read(config)) chunks.push(chunk);
  try {
    const { os, architecture, variant } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Partial<Platform>;
    return os && architecture ? [{ architecture, os, ...(variant ? { variant } : {}) }] : [];
  } catch {
    // An artifact's config is of any form.
    return [];
  }
}
