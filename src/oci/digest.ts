import { BerthError } from '../errors/index.ts';

declare const brand: unique symbol;

/** `sha256:<64 lower-case hex>` (or sha512), checked. @see image-spec descriptor.md, "Digests" */
export type Digest = string & { readonly [brand]: 'Digest' };
/** Digest of a layer's uncompressed tar. @see image-spec config.md, "Layer DiffID" */
export type DiffId = Digest & { readonly kind?: 'DiffId' };
/** Identity of a stack of layers. @see image-spec config.md, "Layer ChainID" */
export type ChainId = Digest & { readonly kind?: 'ChainId' };
/** Digest of an image's config document: what Docker prints as IMAGE ID. */
export type ImageId = Digest & { readonly kind?: 'ImageId' };

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** @throws BerthError `invalid` */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new BerthError('invalid', `not a digest: ${JSON.stringify(text.slice(0, 100))}`, {
    hint: 'a digest is sha256: and 64 lower-case hexadecimal digits',
  });
}

export function sha256(data: string | Uint8Array): Digest {
  // Loaded on first use: a client that only reads names never pays for it.
  const { createHash } = process.getBuiltinModule('node:crypto');
  return `sha256:${createHash('sha256').update(data).digest('hex')}` as Digest;
}

/** The hexadecimal part. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function algorithmOf(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** `ChainID(L0|...|Ln) = Digest(ChainID(L0|...|Ln-1) + " " + DiffID(Ln))`; of one layer it is the DiffID itself. */
export function chainId(parent: ChainId | null, diffId: DiffId): ChainId {
  return (parent === null ? diffId : sha256(`${parent} ${diffId}`)) as Digest as ChainId;
}

/** Chain ids of every prefix, lowest first. */
export function chainIds(diffIds: readonly DiffId[]): ChainId[] {
  const chains: ChainId[] = [];
  for (const diffId of diffIds) chains.push(chainId(chains.at(-1) ?? null, diffId));
  return chains;
}

/** JSON with sorted keys and no blanks: one text per value, so that its digest is an identity. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item,
  );
}
