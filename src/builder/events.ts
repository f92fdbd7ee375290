import type { Diagnostic } from '../diagnostics/index.ts';
import type { Digest, ImageId } from '../oci/index.ts';

/**
 * Everything that a build says, in order. The API sends these as JSON lines, the CLI and the dashboard fold them
 * with `view.ts`, the engine keeps them per build. Times are milliseconds since the epoch.
 */
export type BuildEvent =
  /** A base image is on its way from a registry. Comes before `started`: without it there is no plan yet. */
  | { readonly type: 'pulling'; readonly at: number; readonly image: string; readonly text: string }
  | { readonly type: 'started'; readonly at: number; readonly vertices: readonly VertexInfo[] }
  | { readonly type: 'vertex-started'; readonly at: number; readonly vertex: string }
  | { readonly type: 'vertex-cached'; readonly at: number; readonly vertex: string }
  | { readonly type: 'vertex-missed'; readonly at: number; readonly vertex: string; readonly reason: string }
  | {
      readonly type: 'vertex-log';
      readonly at: number;
      readonly vertex: string;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
    }
  | { readonly type: 'vertex-finished'; readonly at: number; readonly vertex: string }
  | { readonly type: 'vertex-failed'; readonly at: number; readonly vertex: string; readonly message: string }
  | { readonly type: 'diagnostic'; readonly at: number; readonly diagnostic: Diagnostic; readonly frame: string }
  | { readonly type: 'exported'; readonly at: number; readonly image: ImageId; readonly names: readonly string[] };

export interface VertexInfo {
  readonly id: string;
  readonly digest: Digest;
  /** As `[build 2/4] RUN make`. */
  readonly name: string;
  readonly inputs: readonly string[];
  /** Line of the instruction in the Dockerfile, from 1; absent for internal steps. */
  readonly line?: number;
}
