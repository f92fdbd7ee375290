import type { ImageId } from '../oci/index.ts';
import type { ImageRow, Refs } from './refs.ts';

/** A change of names in the making. */
export interface Draft {
  readonly images: Map<ImageId, ImageRow>;
  readonly names: Map<string, ImageId>;
  /** ISO time of this change. */
  readonly now: string;
  /** Stays false when there is nothing to write. */
  changed: boolean;
}

export function draftOf({ images, names }: Refs, now: string): Draft {
  return { images: new Map(images), names: new Map(names), now, changed: false };
}

export function addImage(draft: Draft, id: ImageId, repoDigests: readonly string[]): void {
  const row = draft.images.get(id);
  const known = row?.repoDigests ?? [];
  const added = repoDigests.filter((digest) => !known.includes(digest));
  if (row !== undefined && added.length === 0) return;
  draft.images.set(id, { taggedAt: row?.taggedAt ?? draft.now, repoDigests: [...known, ...added] });
  draft.changed = true;
}

export function setName(draft: Draft, name: string, id: ImageId): void {
  if (draft.names.get(name) === id) return;
  draft.names.set(name, id);
  touch(draft, id);
}

/** Drops a name with tag, or a `name@digest`. */
export function dropName(draft: Draft, name: string): void {
  const id = draft.names.get(name);
  if (id !== undefined) {
    draft.names.delete(name);
    touch(draft, id);
  }
  const repoDigest = repoDigestOf(name);
  if (repoDigest === undefined) return;
  for (const [owner, row] of draft.images) {
    if (!row.repoDigests.includes(repoDigest)) continue;
    draft.images.set(owner, { ...row, repoDigests: row.repoDigests.filter((digest) => digest !== repoDigest) });
    draft.changed = true;
  }
}

export function dropImage(draft: Draft, id: ImageId): void {
  for (const [name, target] of draft.names) if (target === id) draft.names.delete(name);
  draft.changed = draft.images.delete(id) || draft.changed;
}

function touch(draft: Draft, id: ImageId): void {
  const row = draft.images.get(id);
  if (row !== undefined) draft.images.set(id, { ...row, taggedAt: draft.now });
  draft.changed = true;
}

export function byRepoDigest(refs: Refs, name: string): ImageId | undefined {
  const wanted = repoDigestOf(name);
  if (wanted === undefined) return undefined;
  for (const [id, row] of refs.images) if (row.repoDigests.includes(wanted)) return id;
  return undefined;
}

/** `name:tag@digest` is kept and found as `name@digest`. */
function repoDigestOf(name: string): string | undefined {
  const at = name.indexOf('@');
  return at < 0 ? undefined : `${name.slice(0, at).replace(/:[^/:]*$/, '')}${name.slice(at)}`;
}
