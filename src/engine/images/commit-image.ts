import { type ContainerConfig, canonicalJson, type HistoryEntry, type ImageConfig } from '../../oci/index.ts';
import { formatRfc3339Nano } from '../../units/index.ts';
import type { Clock, CommittedLayer } from '../ports.ts';
import { applyChanges } from './changes.ts';

export interface CommitRequest {
  /** Config of the image that the container stands on. */
  readonly baseConfig: ImageConfig;
  /** The container's own defaults: the image's, with what `create` changed. */
  readonly containerConfig: ContainerConfig;
  readonly layer: CommittedLayer;
  readonly author?: string;
  readonly comment?: string;
  /** Dockerfile instructions, as `CMD ["sh"]`. */
  readonly changes: readonly string[];
  /** RFC 3339; now when absent. */
  readonly created?: string;
}

/**
 * Config document of an image made from a container: its base with one layer more.
 * @returns the exact bytes to store
 * @throws BerthError `invalid` for a change that is no proper instruction, or not allowed here
 */
export function commitImage(ports: { readonly clock: Clock }, request: CommitRequest): Uint8Array {
  const { baseConfig, containerConfig, layer, author, comment, changes } = request;
  const created = request.created ?? formatRfc3339Nano(ports.clock.now());
  const step: HistoryEntry = {
    created,
    created_by: (containerConfig.Cmd ?? []).join(' '),
    ...(author ? { author } : {}),
    ...(comment ? { comment } : {}),
  };
  const { author: baseAuthor, ...base } = baseConfig;
  const finalAuthor = author || baseAuthor;
  const config: ImageConfig = {
    ...base,
    created,
    ...(finalAuthor === undefined ? {} : { author: finalAuthor }),
    config: applyChanges(containerConfig, changes),
    rootfs: { type: 'layers', diff_ids: [...baseConfig.rootfs.diff_ids, layer.diffId] },
    history: [...(baseConfig.history ?? []), step],
  };
  return Buffer.from(canonicalJson(config));
}
