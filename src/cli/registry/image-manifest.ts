import { BerthError, isBerthError } from '../../errors/index.ts';
import {
  canonicalName,
  type Descriptor,
  familiarName,
  mediaTypes,
  type Platform,
  type Reference,
} from '../../oci/index.ts';
import type { FetchedDocument } from '../../registry-client/index.ts';
import type { ImageManifest } from './manifest-store.ts';
import { explained, type Registries } from './open.ts';

const MAX_CONFIG = 8 * 1024 * 1024;

/** @throws BerthError `not-found` in docker's words */
export async function fetchManifest({ client, signal }: Registries, reference: Reference): Promise<FetchedDocument> {
  try {
    return await client.getManifest(reference, signal);
  } catch (error) {
    const told = await explained(error, client, reference);
    if (!isBerthError(told) || told.kind !== 'not-found') throw told;
    throw new BerthError('not-found', `no such manifest: ${familiarName(reference)}`, {
      ...(told.hint === undefined ? {} : { hint: told.hint }),
      cause: told,
    });
  }
}

/** What docker says of a manifest: with the platform that its config tells. */
export async function imageManifest(
  { client, signal }: Registries,
  reference: Reference,
  { document, bytes, digest }: FetchedDocument,
): Promise<ImageManifest> {
  if (document.kind === 'index') {
    throw new BerthError('invalid', `${familiarName(reference)} is a manifest list`, {
      hint: 'name the manifests in it, which registry inspect shows',
    });
  }
  const { config } = document.manifest;
  const platform = await platformOf(config, (blob) => client.fetchBlob(reference, blob, { signal }));
  const { mediaType } = document;
  const manifest = JSON.parse(Buffer.from(bytes).toString('utf8')) as object;
  return {
    Ref: canonicalName(reference),
    Descriptor: { mediaType, digest, size: bytes.length, ...(platform ? { platform } : {}) },
    Raw: Buffer.from(bytes).toString('base64'),
    ...(mediaType === mediaTypes.dockerManifest ? { SchemaV2Manifest: manifest } : { OCIManifest: manifest }),
  };
}

/** Undefined for what is no image, but an artifact. */
async function platformOf(
  config: Descriptor,
  read: (blob: Descriptor) => AsyncIterable<Uint8Array>,
): Promise<Platform | undefined> {
  if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig) return undefined;
  if (config.size > MAX_CONFIG)
    throw new BerthError('invalid', `the image's config is larger than ${MAX_CONFIG} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of read(config)) chunks.push(chunk);
  const value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Readonly<Record<string, unknown>> | null;
  const text = (name: string) => (typeof value?.[name] === 'string' ? (value[name] as string) : '');
  const features = value?.['os.features'];
  return {
    architecture: text('architecture'),
    os: text('os'),
    ...(text('os.version') ? { 'os.version': text('os.version') } : {}),
    ...(Array.isArray(features) && features.length > 0 ? { 'os.features': features.map(String) } : {}),
    ...(text('variant') ? { variant: text('variant') } : {}),
  };
}
