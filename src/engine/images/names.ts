import { BerthError } from '../../errors/index.ts';
import { canonicalName, familiarName, parseReference, type Reference, withDefaultTag } from '../../oci/index.ts';

/** How the store's canonical name is shown: `docker.io/library/busybox:1` as `busybox:1`. */
export function shown(canonical: string): string {
  return familiarName(parseReference(canonical));
}

/** Canonical name of a new tag, from the `repo` and `tag` parameters of the API. @throws BerthError `invalid` */
export function newName(repo: string, tag: string | undefined): string {
  const reference = parseReference(repo);
  if (reference.digest !== undefined) {
    throw new BerthError('invalid', 'refusing to create a tag with a digest reference');
  }
  if (tag === undefined || tag === '') return canonicalName(withDefaultTag(reference));
  const { registry, repository } = reference;
  return canonicalName(parseReference(`${registry}/${repository}:${tag}`));
}

/** Names for an import or commit: none when no repository was given. */
export function optionalName(repo: string | undefined, tag: string | undefined): readonly string[] {
  return repo === undefined || repo === '' ? [] : [newName(repo, tag)];
}

/** A reference with its tag, or undefined for text that is no reference (an id prefix may still be meant). */
export function tryReference(text: string): Reference | undefined {
  try {
    return withDefaultTag(parseReference(text));
  } catch {
    return undefined;
  }
}

/** `registry/repository` of a canonical name: names with equal ones belong together. */
export function repositoryOf(canonical: string): string {
  const { registry, repository } = parseReference(canonical);
  return `${registry}/${repository}`;
}
