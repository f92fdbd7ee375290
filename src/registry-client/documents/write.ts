import { BerthError } from '../../errors/index.ts';
import { type Digest, familiarName, isDigest, type Reference, sha256 } from '../../oci/index.ts';
import { type Access, writePlace } from '../repository.ts';
import { targetOf } from './fetch.ts';

/**
 * Stores a document under a tag or its digest. All that it refers to must be there.
 * @returns its digest, and whether the registry will list it as a referrer of its subject
 * @throws BerthError `invalid` when the registry took it for another
 */
export async function putDocument(
  access: Access,
  reference: Reference,
  document: { readonly bytes: Uint8Array; readonly mediaType: string; readonly signal?: AbortSignal },
): Promise<{ readonly digest: Digest; readonly listsReferrers: boolean }> {
  const digest = reference.digest ?? sha256(document.bytes);
  const request = {
    method: 'PUT',
    path: `manifests/${targetOf(reference)}`,
    headers: { 'Content-Type': document.mediaType, 'Content-Length': String(document.bytes.length) },
    body: () => document.bytes,
    actions: 'pull,push',
    doing: `pushing ${familiarName(reference)}`,
    signal: document.signal,
  } as const;
  return await access.session.call(writePlace(access, reference), request, (response) => {
    response.discard();
    const said = response.header('docker-content-digest');
    if (said !== undefined && isDigest(said) && said.startsWith('sha256:') && said !== sha256(document.bytes)) {
      throw new BerthError('invalid', `the registry took the manifest ${digest} for ${said}`);
    }
    return { digest, listsReferrers: response.header('oci-subject') !== undefined };
  });
}

/** Deletes a tag or a document. @throws BerthError `not-found`, `unsupported` when the registry does not delete */
export async function deleteDocument(access: Access, reference: Reference, signal?: AbortSignal): Promise<void> {
  const doing = `deleting ${familiarName(reference)}`;
  const path = `manifests/${targetOf(reference)}`;
  await access.session.call(
    writePlace(access, reference),
    { method: 'DELETE', path, actions: 'delete', doing, signal },
    (response) => response.discard(),
  );
}
