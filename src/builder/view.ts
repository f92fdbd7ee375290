import type { Diagnostic } from '../diagnostics/index.ts';
import type { ImageId } from '../oci/index.ts';
import type { BuildEvent, VertexInfo } from './events.ts';

const MAX_LINES = 50;

export type VertexStatus = 'waiting' | 'running' | 'cached' | 'done' | 'failed';

export interface VertexView extends VertexInfo {
  readonly status: VertexStatus;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** Why it was not in the cache. */
  readonly reason?: string;
  /** Last lines of output; the last one may go on. */
  readonly log: readonly string[];
  /** Why it failed. */
  readonly message?: string;
}

/** A build as it stands after some of its events. */
export interface BuildView {
  readonly startedAt?: number;
  /** Time of the last event. */
  readonly at?: number;
  /** In the order of the build: inputs before their users. */
  readonly vertices: readonly VertexView[];
  readonly diagnostics: readonly { readonly diagnostic: Diagnostic; readonly frame: string }[];
  readonly image?: ImageId;
  readonly names: readonly string[];
}

export const emptyView: BuildView = { vertices: [], diagnostics: [], names: [] };

/** The view after one more event. Pure; progress, timeline and history fold the same events. */
export function reduceView(view: BuildView, event: BuildEvent): BuildView {
  const next = { ...view, at: event.at };
  switch (event.type) {
    case 'started':
      return {
        ...next,
        startedAt: event.at,
        vertices: event.vertices.map((info) => ({ ...info, status: 'waiting', log: [] })),
      };
    case 'vertex-started':
      return change(next, event.vertex, () => ({ status: 'running', startedAt: event.at }));
    case 'vertex-cached':
      return change(next, event.vertex, () => ({ status: 'cached', finishedAt: event.at }));
    case 'vertex-missed':
      return change(next, event.vertex, () => ({ reason: event.reason }));
    case 'vertex-log':
      return change(next, event.vertex, ({ log }) => ({ log: appended(log, event.text) }));
    case 'vertex-finished':
      return change(next, event.vertex, () => ({ status: 'done', finishedAt: event.at }));
    case 'vertex-failed':
      return change(next, event.vertex, () => ({ status: 'failed', finishedAt: event.at, message: event.message }));
    case 'diagnostic':
      return { ...next, diagnostics: [...view.diagnostics, { diagnostic: event.diagnostic, frame: event.frame }] };
    case 'exported':
      return { ...next, image: event.image, names: event.names };
    default:
      // Events of a newer engine are no reason to stop showing a build.
      return next;
  }
}

function change(view: BuildView, id: string, changed: (vertex: VertexView) => Partial<VertexView>): BuildView {
  return {
    ...view,
    vertices: view.vertices.map((vertex) => (vertex.id === id ? { ...vertex, ...changed(vertex) } : vertex)),
  };
}

/** A carriage return starts the line again, as on a terminal. */
function appended(log: readonly string[], text: string): string[] {
  const lines = ((log.at(-1) ?? '') + text).split('\n').map((line) => line.replace(/\r$/, '').split('\r').at(-1)!);
  return [...log.slice(0, -1), ...lines].slice(-MAX_LINES);
}
