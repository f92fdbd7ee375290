import { BerthError } from '../../errors/index.ts';
import { annotateEntry, familiarName, parseReference, type Reference, withDefaultTag } from '../../oci/index.ts';
import type { Command } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { printError } from '../print-error.ts';
import { readAnnotations } from '../registry/annotations.ts';
import { fetchManifest, imageManifest } from '../registry/image-manifest.ts';
import { ManifestStore } from '../registry/manifest-store.ts';
import { configFolder, withRegistries } from '../registry/open.ts';

/** `manifest create` */
export const create: Command = async ({ flags, args, environment }) => {
  const [list, ...members] = args.map(readName);
  const store = new ManifestStore(configFolder(environment.env));
  if (list === undefined) return exitCodes.failure;
  if (!flags.bool('amend') && (await store.list(list)) !== undefined) {
    throw new BerthError('conflict', 'refusing to amend an existing manifest list with no --amend flag');
  }
  const insecure = flags.bool('insecure') ? [...new Set(members.map(({ registry }) => registry))] : [];
  await withRegistries(environment, { insecure }, async (registries) => {
    // All are looked at before anything is written: a list is never left half-made.
    const entries = [];
    for (const member of members) {
      entries.push(await imageManifest(registries, member, await fetchManifest(registries, member)));
    }
    for (const [place, entry] of entries.entries()) await store.put(list, members[place]!, entry);
  });
  environment.stdout.write(`Created manifest list ${familiarName(list)}\n`);
  return exitCodes.ok;
};

/** `manifest annotate` */
export const annotate: Command = async ({ flags, args, environment }) => {
  const [list, manifest] = args.map(readName) as [Reference, Reference];
  const store = new ManifestStore(configFolder(environment.env));
  const entry = await store.get(list, manifest);
  if (entry === undefined) {
    const names = [familiarName(manifest), familiarName(list)];
    throw new BerthError('not-found', `manifest for image ${names[0]} does not exist in ${names[1]}`);
  }
  const features = flags.list('os-features').flatMap((text) => text.split(','));
  const annotations = readAnnotations(flags.list('annotation'));
  const changed = annotateEntry(entry.Descriptor, {
    ...(flags.string('os') ? { os: flags.string('os')! } : {}),
    ...(flags.string('arch') ? { architecture: flags.string('arch')! } : {}),
    ...(flags.string('variant') ? { variant: flags.string('variant')! } : {}),
    ...(flags.string('os-version') ? { osVersion: flags.string('os-version')! } : {}),
    ...(features.length > 0 ? { osFeatures: features } : {}),
    annotations,
  });
  const { mediaType, digest, size, platform } = changed;
  const descriptor = { mediaType, digest, size, ...(changed.annotations ? { annotations: changed.annotations } : {}) };
  await store.put(list, manifest, { ...entry, Descriptor: { ...descriptor, ...(platform ? { platform } : {}) } });
  return exitCodes.ok;
};

/** `manifest rm` */
export const remove: Command = async ({ args, environment }) => {
  const store = new ManifestStore(configFolder(environment.env));
  let code: number = exitCodes.ok;
  for (const text of args) {
    const list = readName(text);
    if ((await store.list(list)) !== undefined) {
      await store.remove(list);
      continue;
    }
    printError(environment.stderr, new BerthError('not-found', `No such manifest: ${text}`));
    code = exitCodes.failure;
  }
  return code;
};

function readName(text: string): Reference {
  return withDefaultTag(parseReference(text));
}
