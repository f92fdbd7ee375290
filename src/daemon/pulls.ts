import type { RegistryAuth } from '../api/contract/index.ts';
import type { PullsApi } from '../api/server/index.ts';
import type { BuildImages } from '../builder/ports.ts';
import {
  type ChainId,
  type DiffId,
  formatPlatform,
  hostPlatform,
  type ImageId,
  isDigest,
  parsePlatform,
  parseReference,
  type Reference,
  sha256,
  withDefaultTag,
} from '../oci/index.ts';
import { createPuller, type LayerBlobs, type RegistryClient } from '../registry-client/index.ts';
import { authFor, keychainOf } from './credentials.ts';

/** Tells listeners of an image that came from, or went to, a registry. */
export type AnnounceTransfer = (action: 'pull' | 'push', reference: Reference) => void;

/** What pulls need of the stores. */
export interface PullStores {
  readonly snapshots: {
    has(chain: ChainId): Promise<boolean>;
    apply(
      parent: ChainId | null,
      tar: AsyncIterable<Uint8Array>,
      options: { readonly expected: DiffId; readonly signal: AbortSignal },
    ): Promise<unknown>;
  };
  readonly images: {
    find(name: string): Promise<{ readonly id: string } | undefined>;
    get(id: ImageId): Promise<unknown>;
    put(configBytes: Uint8Array, names: readonly string[], repoDigests: readonly string[]): Promise<unknown>;
  };
  readonly garbage: {
    lease(chains: readonly ChainId[]): Promise<() => void>;
    removeUnneeded(chains: readonly ChainId[]): Promise<unknown>;
  };
}

/** Serves pulls: images go from a registry into this engine's stores. */
export function createPulls(
  { snapshots, images, garbage }: PullStores,
  options: {
    readonly client: RegistryClient;
    readonly folder: string;
    readonly blobs: LayerBlobs;
    readonly now: () => number;
    /** Told of each image that came. */
    readonly announce: AnnounceTransfer;
  },
): PullsApi {
  const puller = createPuller({
    folder: options.folder,
    now: options.now,
    blobs: options.blobs,
    sink: {
      hold: (chains) => garbage.lease(chains),
      hasImage: async (id) => (await images.get(id)) !== undefined,
      hasLayer: (chain) => snapshots.has(chain),
      applyLayer: async (parent, tar, how) => void (await snapshots.apply(parent, tar, how)),
      removeLayers: async (chains) => void (await garbage.removeUnneeded(chains)),
      async putImage({ configBytes, names, repoDigests }) {
        const id = sha256(configBytes);
        const before = await Promise.all([...names, ...repoDigests].map((name) => images.find(name)));
        await images.put(configBytes, names, repoDigests);
        return { isNew: before.some((image) => image?.id !== id) };
      },
    },
  });
  return {
    async pull(name, { platform, auth, emit, signal }) {
      const reference = withDefaultTag(parseReference(name));
      await puller.pull(options.client.as(keychainOf(auth, reference.registry)), {
        reference,
        platform: platform ? parsePlatform(platform) : hostPlatform(process.arch),
        isPlatformFixed: Boolean(platform),
        emit,
        signal,
      });
      options.announce('pull', reference);
    },
  };
}

/** Base images of builds: what is not here is pulled. */
export function pullingImages(
  images: BuildImages,
  pulls: PullsApi,
  auths: ReadonlyMap<string, RegistryAuth>,
): BuildImages {
  return {
    ...images,
    async find(name, options) {
      const found = await images.find(name, options);
      if (found !== undefined || options === undefined || isDigest(name)) return found;
      const auth = authFor(auths, parseReference(name).registry);
      await pulls.pull(name, {
        ...(auth ? { auth } : {}),
        platform: formatPlatform(options.platform),
        signal: options.signal,
        emit({ id, status, progress }) {
          if (progress === undefined && status !== undefined) options.onProgress(id ? `${id}: ${status}` : status);
        },
      });
      return await images.find(name);
    },
  };
}
