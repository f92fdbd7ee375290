import type { Platform } from '../oci/index.ts';
import type { Entitlement } from './plan/graph.ts';

/** What to build. Paths are absolute. */
export interface BuildRequest {
  readonly dockerfile: { readonly name: string; readonly text: string };
  /** Folder that COPY and ADD read; null when there is none (`build -`). */
  readonly context: {
    readonly root: string;
    readonly ignore: { readonly file: string; readonly text: string } | null;
  } | null;
  /** Canonical references. */
  readonly names: readonly string[];
  readonly target?: string;
  /** Null means "take it from the caller's environment", already resolved by the CLI: absent there, it is left out. */
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly noCache: boolean;
  readonly platform: Platform;
  /** Seconds since the epoch; sets all times in the image. @see reproducible-builds.org, SOURCE_DATE_EPOCH */
  readonly sourceDateEpoch?: number;
  readonly network: 'default' | 'host' | 'none';
  /** Values for `RUN --mount=type=secret`, by id. They reach a step's files and environment, and nothing else. */
  readonly secrets?: ReadonlyMap<string, Uint8Array>;
  /** Sockets of agents on this machine for `RUN --mount=type=ssh`, by id. */
  readonly agents?: ReadonlyMap<string, string>;
  /** Rights that RUN may ask for beyond its sandbox. */
  readonly allow?: readonly Entitlement[];
}
