import table from '../../../grammar/engine-api/routes.json' with { type: 'json' };
import type { ApiVersion } from './versions.ts';

/**
 * One operation of the Engine API.
 * `done` is served; `planned` answers 501; `swarm` answers as an engine outside of a swarm does.
 */
export interface RouteSpec {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** `{id}` is one path segment, `{name:.*}` may hold slashes. */
  readonly path: string;
  /** API version that introduced it, when it is newer than the oldest that is served. */
  readonly since?: ApiVersion;
  readonly query?: readonly string[];
  /** The connection turns into a raw duplex stream. */
  readonly hijack?: boolean;
  readonly status: 'done' | 'planned' | 'swarm';
}

/** Every operation that clients may ask for, from `grammar/engine-api/routes.json`. */
export const ROUTES: readonly RouteSpec[] = (table as { readonly routes: readonly RouteSpec[] }).routes;

export function routeKey(route: Pick<RouteSpec, 'method' | 'path'>): string {
  return `${route.method} ${route.path}`;
}
