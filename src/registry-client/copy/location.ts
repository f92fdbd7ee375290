import { resolve } from 'node:path';
import { BerthError } from '../../errors/index.ts';
import { type Digest, isDigest, parseReference, type Reference } from '../../oci/index.ts';
import type { RegistryClient } from '../client.ts';
import { archiveSource, archiveTarget, dockerArchiveSource } from './archive.ts';
import { layoutSource, layoutTarget } from './layout.ts';
import type { CopySource, CopyTarget } from './ports.ts';
import { registrySource, registryTarget } from './registry-place.ts';

/** Where an image is, as people write it: `ghcr.io/a/b:1`, `oci:DIR:TAG`, `oci-archive:FILE`, `docker-archive:FILE`. */
export type ImageLocation =
  | { readonly kind: 'registry'; readonly reference: Reference }
  | {
      readonly kind: 'oci' | 'oci-archive' | 'docker-archive';
      readonly path: string;
      readonly tag?: string;
      readonly digest?: Digest;
    };

/** @throws BerthError `invalid` */
export function parseLocation(text: string): ImageLocation {
  const [, scheme, rest = ''] = /^(oci|oci-archive|docker-archive):(.*)$/s.exec(text) ?? [];
  if (scheme === undefined) {
    return { kind: 'registry', reference: parseReference(text.replace(/^docker:\/\//, '')) };
  }
  const kind = scheme as 'oci' | 'oci-archive' | 'docker-archive';
  const at = rest.indexOf('@');
  const digest = rest.slice(at + 1);
  if (at > 0 && isDigest(digest)) return { kind, path: rest.slice(0, at), digest };
  const colon = rest.indexOf(':');
  const [path, tag] = colon < 0 ? [rest, undefined] : [rest.slice(0, colon), rest.slice(colon + 1)];
  if (path === '')
    throw new BerthError('invalid', `${JSON.stringify(text)} names no file`, { hint: `write ${kind}:PATH` });
  return { kind, path, ...(tag === undefined || tag === '' ? {} : { tag }) };
}

export interface OpenLocationOptions {
  readonly client: RegistryClient;
  /** Paths are relative to it. */
  readonly cwd: string;
  /** Where archives are unpacked meanwhile. */
  readonly temporary: string;
}

/** Opens an image to copy from. Close it at the end. @throws BerthError `not-found`, `invalid` */
export async function openSource(location: ImageLocation, options: OpenLocationOptions): Promise<CopySource> {
  if (location.kind === 'registry') return registrySource(options.client, location.reference);
  const { kind, path, ...which } = location;
  const [file, name] = [resolve(options.cwd, path), `${kind}:${path}`];
  if (kind === 'oci') return layoutSource({ folder: file, ...which }, name);
  const image = { file, ...which, temporary: options.temporary };
  return kind === 'oci-archive' ? await archiveSource(image, name) : await dockerArchiveSource(image, name);
}

/** Opens a place to copy to. Close it at the end. @throws BerthError `invalid`, `unsupported` */
export async function openTarget(location: ImageLocation, options: OpenLocationOptions): Promise<CopyTarget> {
  if (location.kind === 'registry') return registryTarget(options.client, location.reference);
  const { kind, path, ...which } = location;
  const [file, name] = [resolve(options.cwd, path), `${kind}:${path}`];
  if (kind === 'docker-archive') {
    throw new BerthError('unsupported', 'a docker-archive is not written: it cannot hold an image as it is', {
      hint: 'copy to oci-archive:FILE, which docker load reads, too',
    });
  }
  if (which.digest !== undefined)
    throw new BerthError('invalid', `${name}: an image is copied to a name, not to a digest`);
  if (kind === 'oci') return layoutTarget({ folder: file, ...which }, name);
  return await archiveTarget({ file, ...which, temporary: options.temporary }, name);
}
