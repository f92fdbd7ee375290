import { BerthError } from '../errors/index.ts';
import { familiarRepository, parseReference, withDefaultTag } from '../oci/index.ts';

/** `repo` and `tag` parameters of a new image name. @throws BerthError `invalid` for a name with a digest */
export function repositoryAndTag(name: string): { readonly repo: string; readonly tag: string } {
  const reference = withDefaultTag(parseReference(name));
  if (reference.digest) throw new BerthError('invalid', `a new name cannot have a digest: ${name}`);
  return { repo: familiarRepository(reference), tag: reference.tag! };
}
