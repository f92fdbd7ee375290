import { BerthError } from '../../errors/index.ts';
import {
  createIndex,
  encodeIndex,
  familiarName,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/index.ts';
import type { Command } from '../context.ts';
import { readAnnotations } from '../registry/annotations.ts';
import { type ImageManifest, ManifestStore } from '../registry/manifest-store.ts';
import { configFolder, explained, type Registries, withRegistries } from '../registry/open.ts';

export const run: Command = async ({ flags, args, environment }) => {
  const list = withDefaultTag(parseReference(args[0]!));
  const store = new ManifestStore(configFolder(environment.env));
  const entries = await store.list(list);
  if (entries === undefined) throw new BerthError('not-found', `No such manifest: ${familiarName(list)}`);
  for (const { Ref, Descriptor } of entries) {
    if (Descriptor.platform?.os && Descriptor.platform.architecture) continue;
    throw new BerthError('invalid', `manifest ${Ref} must have an OS and Architecture to be pushed to a registry`, {
      hint: 'say them with manifest annotate --os --arch',
    });
  }
  const annotations = readAnnotations(flags.list('annotation'));
  const index = createIndex(
    entries.map((entry) => entry.Descriptor),
    { annotations },
  );
  const sources = entries.map(({ Ref }) => parseReference(Ref).registry);
  const insecure = flags.bool('insecure') ? [...new Set([list.registry, ...sources])] : [];
  await withRegistries(environment, { insecure }, async (registries) => {
    try {
      for (const entry of entries) {
        const pushed = await bringHere(registries, list, entry);
        if (pushed) environment.stdout.write(`Pushed ref ${pushed} with digest: ${entry.Descriptor.digest}\n`);
      }
      const { client, signal } = registries;
      const mediaType = index.mediaType ?? '';
      const { digest } = await client.putManifest(list, { bytes: encodeIndex(index), mediaType, signal });
      environment.stdout.write(`${digest}\n`);
    } catch (error) {
      throw await explained(error, registries.client, list);
    }
  });
  if (flags.bool('purge')) await store.remove(list);
  return 0;
};

/** A list names manifests of its own repository: what lies in another one is mounted, or copied. @returns its new name */
async function bringHere(
  { client, signal }: Registries,
  { registry, repository }: Reference,
  { Ref, Descriptor: { digest } }: ImageManifest,
): Promise<string | undefined> {
  const from = parseReference(Ref);
  if (from.registry === registry && from.repository === repository) return undefined;
  const { copyImage, openSource, openTarget } = await import('../../registry-client/index.ts');
  const places = { client, cwd: '/', temporary: '/' };
  const pinned = { registry: from.registry, repository: from.repository, digest };
  const source = await openSource({ kind: 'registry', reference: pinned }, places);
  const reference = { registry, repository, digest };
  const target = await openTarget({ kind: 'registry', reference }, places);
  await copyImage(source, target, { signal });
  return familiarName(reference);
}
