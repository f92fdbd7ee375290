import { BerthError } from '../../errors/index.ts';
import {
  canonicalName,
  createIndex,
  type Descriptor,
  encodeIndex,
  familiarName,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/index.ts';
import type { Command } from '../context.ts';
import { fetchManifest, imageManifest } from '../registry/image-manifest.ts';
import { type ImageManifest, ManifestStore } from '../registry/manifest-store.ts';
import { configFolder, type Registries, withRegistries } from '../registry/open.ts';

export const run: Command = async ({ flags, args, environment }) => {
  const [first, second] = args.map((text) => withDefaultTag(parseReference(text)));
  const { stdout } = environment;
  const verbose = flags.bool('verbose');
  const store = new ManifestStore(configFolder(environment.env));
  if (first === undefined) return 1;
  if (second !== undefined) {
    const entry = await store.get(first, second);
    if (entry === undefined) throw new BerthError('not-found', `No such manifest: ${familiarName(second)}`);
    stdout.write(verbose ? tabbed(entry) : rawText(entry));
    return 0;
  }
  const local = await store.list(first);
  if (local !== undefined) {
    stdout.write(verbose ? tabbed(local) : listText(local.map((entry) => entry.Descriptor)));
    return 0;
  }
  const insecure = flags.bool('insecure') ? [first.registry] : [];
  return await withRegistries(environment, { insecure }, async (registries) => {
    const fetched = await fetchManifest(registries, first);
    const { document } = fetched;
    if (document.kind === 'index') {
      const text = verbose
        ? tabbed(await members(registries, first, document.index.manifests))
        : `${Buffer.from(encodeIndex({ ...document.index, mediaType: document.mediaType })).toString('utf8')}\n`;
      stdout.write(text);
    } else {
      stdout.write(verbose ? tabbed(await imageManifest(registries, first, fetched)) : indented(fetched.bytes));
    }
    return 0;
  });
};

/** Each manifest of a list in a registry, under the list's name with its digest. */
async function members(
  registries: Registries,
  list: Reference,
  entries: readonly Descriptor[],
): Promise<readonly ImageManifest[]> {
  const { registry, repository } = list;
  const found: ImageManifest[] = [];
  for (const entry of entries) {
    const pinned = { registry, repository, digest: entry.digest };
    const manifest = await imageManifest(registries, pinned, await fetchManifest(registries, pinned));
    const { mediaType, digest, size } = manifest.Descriptor;
    const platform = entry.platform ?? manifest.Descriptor.platform;
    const descriptor = { mediaType, digest, size, ...(platform ? { platform } : {}) };
    found.push({ ...manifest, Ref: canonicalName({ ...list, digest }), Descriptor: descriptor });
  }
  return found;
}

function listText(entries: readonly Descriptor[]): string {
  return `${Buffer.from(encodeIndex(createIndex(entries))).toString('utf8')}\n`;
}

function rawText({ Raw }: ImageManifest): string {
  return indented(Buffer.from(Raw, 'base64'));
}

function indented(bytes: Uint8Array): string {
  return tabbed(JSON.parse(Buffer.from(bytes).toString('utf8')));
}

function tabbed(value: unknown): string {
  return `${JSON.stringify(value, null, '\t')}\n`;
}
