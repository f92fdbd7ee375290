/** Before a name: that name of the layers below is deleted. @see image-spec layer.md, "Whiteouts" */
export const WHITEOUT_PREFIX = '.wh.';
/** In a directory: everything that layers below have in it is deleted. */
export const OPAQUE_WHITEOUT = '.wh..wh..opq';

export type Whiteout =
  | { readonly kind: 'none' }
  /** `name` of the same directory is deleted. */
  | { readonly kind: 'deleted'; readonly name: string }
  | { readonly kind: 'opaque' }
  /** AUFS bookkeeping (`.wh..wh.plnk`): means nothing and is left out. */
  | { readonly kind: 'metadata' }
  /** Hides no name that a file can have: `.wh.`, `.wh..`, `.wh...`. */
  | { readonly kind: 'malformed' };

/** What a file's own name (its last path component) says about layers below. */
export function parseWhiteout(name: string): Whiteout {
  if (!name.startsWith(WHITEOUT_PREFIX)) return { kind: 'none' };
  if (name === OPAQUE_WHITEOUT) return { kind: 'opaque' };
  const hidden = name.slice(WHITEOUT_PREFIX.length);
  if (hidden === '' || hidden === '.' || hidden === '..') return { kind: 'malformed' };
  if (hidden.startsWith(WHITEOUT_PREFIX)) return { kind: 'metadata' };
  return { kind: 'deleted', name: hidden };
}
