import { BerthError } from '../errors/index.ts';
import {
  type ChainId,
  canonicalJson,
  chainIds,
  type Digest,
  type ImageConfig,
  type ImageId,
  isDigest,
  sha256,
} from '../oci/index.ts';
import { type ContentStore, openContentStore } from './content/store.ts';
import { MAX_CONFIG_BYTES, parseImageConfig } from './image-config.ts';
import { type Refs, RefsFile } from './refs.ts';
import { addImage, byRepoDigest, type Draft, draftOf, dropImage, dropName, setName } from './refs-draft.ts';
import { serialQueue } from './serial.ts';

interface CachedImage {
  readonly id: ImageId;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly names: readonly string[];
  readonly repoDigests: readonly string[];
  readonly taggedAt: string;
}

/** The images of a data folder, seen by the engine and by the builder. */
export interface Images {
  /** Satisfies the engine's `ImageStore`. */
  readonly engineImages: {
    find(name: string): Promise<CachedImage | undefined>;
    get(id: ImageId): Promise<CachedImage | undefined>;
    list(): Promise<readonly CachedImage[]>;
    put(configBytes: Uint8Array, names: readonly string[], repoDigests?: readonly string[]): Promise<CachedImage>;
    tag(id: ImageId, name: string): Promise<void>;
    /** Drops a name, or a `name@digest`. Unknown ones are fine. */
    untag(name: string): Promise<void>;
    remove(id: ImageId): Promise<void>;
    /** Images that have a name or a row, but whose config is gone or damaged. */
    damaged(): Promise<readonly ImageId[]>;
    /** Stored content that no image has. With `remove`, it is removed. */
    orphans(options: { readonly remove: boolean }): Promise<readonly Digest[]>;
  };
  /** Satisfies the builder's `BuildImages`. */
  readonly buildImages: {
    find(
      name: string,
    ): Promise<{ readonly id: ImageId; readonly config: ImageConfig; readonly chain: ChainId | null } | undefined>;
    put(config: ImageConfig, names: readonly string[]): Promise<ImageId>;
    names(): Promise<readonly string[]>;
  };
}

/**
 * Opens the images of a data folder. Configs are blobs of the content store, names stand in `images/refs.json`.
 * One instance per folder: the names are kept in memory after the first look.
 */
export function openImageStore(dataFolder: string, clock: { now(): number } = Date): Images {
  const content = openContentStore(dataFolder);
  const file = new RefsFile(dataFolder);
  const inTurn = serialQueue();
  const configs = new Map<ImageId, { readonly config: ImageConfig; readonly configBytes: Uint8Array }>();

  const load = async (id: ImageId) => {
    const known = configs.get(id);
    if (known !== undefined) return known;
    const configBytes = await content.readAll(id, MAX_CONFIG_BYTES);
    const entry = { config: parseImageConfig(configBytes), configBytes };
    configs.set(id, entry);
    return entry;
  };

  const view = async (refs: Refs, id: ImageId | undefined): Promise<CachedImage | undefined> => {
    const row = id === undefined ? undefined : refs.images.get(id);
    if (id === undefined || row === undefined) return undefined;
    const names = [...refs.names].filter(([, target]) => target === id).map(([name]) => name);
    return { id, ...(await load(id)), names: names.sort(), repoDigests: row.repoDigests, taggedAt: row.taggedAt };
  };

  const get = async (id: ImageId) => view(await file.read(), id);

  const find = async (name: string) => {
    const refs = await file.read();
    return view(refs, refs.names.get(name) ?? byRepoDigest(refs, name));
  };

  const change = async (edit: (draft: Draft) => void) => {
    const refs = await file.read();
    const draft = draftOf(refs, new Date(clock.now()).toISOString());
    edit(draft);
    if (draft.changed) await file.replace({ images: draft.images, names: draft.names });
  };

  const put = (configBytes: Uint8Array, names: readonly string[], repoDigests: readonly string[] = []) =>
    inTurn(async () => {
      const config = parseImageConfig(configBytes);
      const id: ImageId = sha256(configBytes);
      await content.write(configBytes, { digest: id, sizeBytes: configBytes.length });
      configs.set(id, { config, configBytes });
      await change((draft) => {
        addImage(draft, id, repoDigests);
        for (const name of names) setName(draft, name, id);
      });
      const image = await get(id);
      if (image === undefined) throw new Error(`image ${id} vanished while it was stored`);
      return image;
    });

  const engineImages: Images['engineImages'] = {
    find,
    get,
    put,
    list: async () => {
      const refs = await file.read();
      const images: CachedImage[] = [];
      for (const id of refs.images.keys()) {
        // One damaged config must not hide every other image.
        const image = await view(refs, id).catch(ignoreDamage);
        if (image !== undefined) images.push(image);
      }
      return images;
    },
    tag: (id, name) =>
      inTurn(() =>
        change((draft) => {
          if (!draft.images.has(id)) throw new BerthError('not-found', `No such image: ${id}`);
          setName(draft, name, id);
        }),
      ),
    untag: (name) => inTurn(() => change((draft) => dropName(draft, name))),
    remove: (id) =>
      inTurn(async () => {
        await change((draft) => dropImage(draft, id));
        configs.delete(id);
        await content.remove(id);
      }),
    damaged: async () => {
      const ids = [...(await file.read()).images.keys()];
      const whole = await Promise.all(ids.map((id) => verifiedConfig(content, id)));
      return ids.filter((_id, index) => !whole[index]);
    },
    orphans: ({ remove }) =>
      inTurn(async () => {
        const { images } = await file.read();
        const orphans = (await content.digests()).filter((digest) => !images.has(digest as ImageId));
        if (remove) for (const digest of orphans) await content.remove(digest);
        return orphans;
      }),
  };

  return {
    engineImages,
    buildImages: {
      find: async (name) => {
        const image = isDigest(name) ? await get(name) : await find(name);
        if (image === undefined) return undefined;
        const chain = chainIds(image.config.rootfs.diff_ids).at(-1) ?? null;
        return { id: image.id, config: image.config, chain };
      },
      put: async (config, names) => (await put(Buffer.from(canonicalJson(config)), names)).id,
      names: async () => [...(await file.read()).names.keys()].sort(),
    },
  };
}

/** Reads from the disk, whatever is remembered. */
async function verifiedConfig(content: ContentStore, id: ImageId): Promise<boolean> {
  try {
    parseImageConfig(await content.readAll(id, MAX_CONFIG_BYTES));
    return true;
  } catch (error) {
    return ignoreDamage(error) ?? false;
  }
}

function ignoreDamage(error: unknown): undefined {
  if (error instanceof BerthError && ['internal', 'not-found', 'invalid'].includes(error.kind)) return undefined;
  throw error;
}
