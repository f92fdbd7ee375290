import type { PushesApi } from '../api/server/index.ts';
import { BerthError } from '../errors/index.ts';
import {
  type ChainId,
  canonicalName,
  chainIds,
  familiarRepository,
  type ImageConfig,
  parseReference,
  type Reference,
} from '../oci/index.ts';
import {
  createPusher,
  type LayerBlobs,
  openSenderProcess,
  openUploadMemory,
  type RegistryClient,
} from '../registry-client/index.ts';
import { lockFile } from '../runtime/index.ts';
import { keychainOf } from './credentials.ts';
import type { AnnounceTransfer } from './pulls.ts';
import { workerScript } from './worker-scripts.ts';

interface PushableImage {
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly names: readonly string[];
}

/** What pushes need of the stores. */
export interface PushStores {
  readonly snapshots: { layerTar(chain: ChainId): AsyncIterable<Uint8Array> };
  readonly images: {
    find(name: string): Promise<PushableImage | undefined>;
    list(): Promise<readonly PushableImage[]>;
    put(configBytes: Uint8Array, names: readonly string[], repoDigests: readonly string[]): Promise<unknown>;
  };
  readonly garbage: { lease(chains: readonly ChainId[]): Promise<() => void> };
}

/** Serves pushes: images go from this engine's stores into a registry. */
export function createPushes(
  { snapshots, images, garbage }: PushStores,
  options: {
    readonly client: RegistryClient;
    readonly folder: string;
    readonly blobs: LayerBlobs;
    readonly now: () => number;
    /** Told of each image that went. */
    readonly announce: AnnounceTransfer;
  },
): PushesApi & { close(): Promise<void> } {
  const { client, folder, blobs, now } = options;
  const memory = openUploadMemory(`${folder}/sessions`, now);
  const sender = openSenderProcess({ script: workerScript('sender'), lockPath: `${folder}/sender.lock`, lockFile });
  const pusher = createPusher({ folder: `${folder}/layers`, blobs, memory, sender, now });

  /** The names to push, all there. */
  async function namesOf(repository: Reference, tag: string | undefined): Promise<readonly Reference[]> {
    const { registry, repository: path } = repository;
    if (tag !== undefined) return [{ registry, repository: path, tag }];
    const prefix = `${registry}/${path}:`;
    const names = (await images.list()).flatMap((image) => image.names.filter((name) => name.startsWith(prefix)));
    if (names.length > 0) return names.sort().map(parseReference);
    throw notHere({ registry, repository: path });
  }

  async function pushOne(reference: Reference, access: RegistryClient, rest: PushRest): Promise<void> {
    const image = await images.find(canonicalName(reference));
    if (image === undefined) throw notHere(reference);
    const chains = chainIds(image.config.rootfs.diff_ids);
    const release = await garbage.lease(chains);
    try {
      const layers = image.config.rootfs.diff_ids.map((diffId, place) => ({
        diffId,
        open: () => snapshots.layerTar(chains[place]!),
      }));
      const { configBytes } = image;
      const { digest } = await pusher.push(access, { reference, image: { configBytes, layers }, ...rest });
      const { registry, repository } = reference;
      await images.put(configBytes, [], [canonicalName({ registry, repository, digest })]);
      options.announce('push', reference);
    } finally {
      release();
    }
  }

  return {
    close: () => sender.close(),
    async push(name, { tag, auth, ...rest }) {
      const named = parseReference(name);
      if (named.digest !== undefined) throw new BerthError('invalid', 'cannot push a digest reference');
      const access = client.as(keychainOf(auth, named.registry));
      for (const reference of await namesOf(named, tag ?? named.tag)) await pushOne(reference, access, rest);
    },
  };
}

type PushRest = Omit<Parameters<PushesApi['push']>[1], 'tag' | 'auth'>;

function notHere(reference: Reference): BerthError {
  return new BerthError('not-found', `An image does not exist locally with the tag: ${familiarRepository(reference)}`, {
    hint: 'build it, or give an image this name with tag',
  });
}
