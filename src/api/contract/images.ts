import type { ErrorKind } from '../../errors/index.ts';
import type { ContainerConfig, Platform } from '../../oci/index.ts';

/** Wire shapes of the Engine API, images part. @see Docker Engine API v1.50 */
export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Containers: number;
}

export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created: string;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: ContainerConfig;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly Size: number;
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null };
  readonly RootFS: { readonly Type: 'layers'; readonly Layers: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
}

export interface ImageHistory {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

/** What a registry has under a name. @see Docker Engine API v1.50, "Get image information from the registry" */
export interface DistributionInspect {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly Platforms: readonly Platform[];
}

export type ImageDeleted = { readonly Untagged: string } | { readonly Deleted: string };

/** One line of a progress stream: pull, load, import, build. */
export interface JsonMessage {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  /** `kind` and `hint` are Berth's own; other clients skip them. */
  readonly errorDetail?: {
    readonly code?: number;
    readonly message: string;
    readonly kind?: ErrorKind;
    readonly hint?: string;
  };
  readonly aux?: unknown;
}

/** One entry of `GET /images/search`. `source` is Berth's own: names of a catalog, where there is no search. */
export interface ImageSearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  /** Docker keeps it for old clients; it is never true any more. */
  readonly is_automated: boolean;
  readonly source?: 'catalog';
}
