import type { Diagnostic } from '../../diagnostics/index.ts';
import type { ContainerConfig, HistoryEntry, Platform } from '../../oci/index.ts';
import type { BaseImage } from '../ports.ts';
import type { BuildGraph, NodeId } from './graph.ts';

export interface PlanOptions {
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target?: string;
  /** What the image is for. */
  readonly platform: Platform;
  /** What the build runs on; `platform` when absent. */
  readonly buildPlatform?: Platform;
  /** Network of RUN without a flag of its own. */
  readonly network: 'default' | 'host' | 'none';
  readonly sourceDateEpoch?: number;
  /** Names this Dockerfile of this context in records, so that two projects' steps are not compared. */
  readonly slotPrefix?: string;
  /** Images by canonical reference; null is an image that the store has not. What is absent is asked for in `needs`. */
  readonly images: ReadonlyMap<string, BaseImage | null>;
  /** Why an image that is null could not be fetched, with what can be done about it. */
  readonly missing?: ReadonlyMap<string, { readonly message: string; readonly hint: string | undefined }>;
  /** Names in the store, for "did you mean". */
  readonly imageNames?: readonly string[];
}

/** One history entry, and the node that makes its layer. */
export interface PlannedStep {
  readonly entry: HistoryEntry;
  readonly node: NodeId | null;
}

export interface PlannedStage {
  readonly index: number;
  /** As in `[build 2/4]`: its name, or `stage-N`. */
  readonly label: string;
  /** What the image is for. */
  readonly platform: Platform;
  /** Null for `FROM scratch`. */
  readonly base: BaseImage | null;
  readonly config: ContainerConfig;
  readonly author?: string;
  /** What comes after the base image, in order; those of the base stage first. */
  readonly steps: readonly PlannedStep[];
  readonly head: NodeId | null;
}

export interface BuildPlan {
  readonly graph: BuildGraph;
  readonly target: PlannedStage;
  /** The stages that the target needs, each after those that it uses. */
  readonly stages: readonly PlannedStage[];
  /** What every RUN gets and no key holds. */
  readonly proxyEnvironment: readonly string[];
  /** Seconds since the epoch. */
  readonly sourceDateEpoch?: number;
}

/** A plan, or why there is none: errors in `diagnostics`, or images to look up first in `needs`. */
export interface Planned {
  readonly value: BuildPlan | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Canonical references to add to `images` before planning again. */
  readonly needs: readonly string[];
}
