import findMyWay from 'find-my-way';
import { BerthError } from '../../errors/index.ts';
import { ROUTES, type RouteSpec, routeKey } from '../contract/routes.ts';
import type { Exchange } from './exchange.ts';

export type Handler = (exchange: Exchange) => Promise<void> | void;

/** Handlers by `METHOD /path`, as in the route table. */
export type Handlers = Readonly<Record<string, Handler>>;

export interface Match {
  readonly spec: RouteSpec;
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string | undefined>>;
}

export interface Router {
  find(method: string, path: string): Match | undefined;
}

interface Entry {
  readonly spec: RouteSpec;
  readonly handler: Handler;
}

/** Routes with a name that may hold slashes share one wildcard: what follows the name tells them apart. */
interface NamedRoutes {
  readonly parameter: string;
  readonly bySuffix: Map<string, Entry>;
}

const NAME_WITH_SLASHES = /^(.*\/)\{(\w+):\.\*\}(.*)$/;

/** @throws Error when the table and the handlers do not fit together */
export function createRouter(handlers: Handlers, routes: readonly RouteSpec[] = ROUTES): Router {
  const router = findMyWay({ maxParamLength: 4096, caseSensitive: true });
  const named = new Map<string, NamedRoutes>();
  const unused = new Set(Object.keys(handlers));
  for (const spec of routes) {
    unused.delete(routeKey(spec));
    const entry: Entry = { spec, handler: handlerOf(spec, handlers) };
    const parts = NAME_WITH_SLASHES.exec(spec.path);
    if (!parts) {
      router.on(spec.method, spec.path.replace(/\{(\w+)\}/g, ':$1'), () => {}, entry);
      continue;
    }
    const [, prefix = '', parameter = '', suffix = ''] = parts;
    const key = `${spec.method} ${prefix}`;
    const group = named.get(key) ?? { parameter, bySuffix: new Map<string, Entry>() };
    if (!named.has(key)) router.on(spec.method, `${prefix}*`, () => {}, group);
    named.set(key, group);
    group.bySuffix.set(suffix, entry);
  }
  if (unused.size > 0) throw new Error(`handlers without a route that is done: ${[...unused].join(', ')}`);
  return {
    find(method, path) {
      const found = router.find(method as Parameters<typeof router.find>[0], path);
      if (!found) return undefined;
      const store = found.store as Entry | NamedRoutes;
      return 'bySuffix' in store ? findNamed(store, found.params['*'] ?? '') : { ...store, params: found.params };
    },
  };
}

function findNamed({ parameter, bySuffix }: NamedRoutes, rest: string): Match | undefined {
  const slash = rest.lastIndexOf('/');
  const suffix = slash > 0 ? rest.slice(slash) : '';
  const entry = bySuffix.get(suffix);
  if (entry && suffix !== '') return { ...entry, params: { [parameter]: rest.slice(0, slash) } };
  const bare = bySuffix.get('');
  return bare && rest !== '' ? { ...bare, params: { [parameter]: rest } } : undefined;
}

function handlerOf(spec: RouteSpec, handlers: Handlers): Handler {
  const handler = handlers[routeKey(spec)];
  if ((handler !== undefined) !== (spec.status === 'done'))
    throw new Error(`${routeKey(spec)} is ${spec.status} in the table`);
  return handler ?? (spec.status === 'swarm' ? notInSwarm : notYet(spec));
}

function notYet(spec: RouteSpec): Handler {
  return () => {
    throw new BerthError('unsupported', `${routeKey(spec)} is not available in this version of Berth yet`);
  };
}

function notInSwarm(): never {
  throw new BerthError(
    'unavailable',
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}
