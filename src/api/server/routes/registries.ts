import { BerthError } from '../../../errors/index.ts';
import { decodeRegistryAuth, FILTER_KEYS, parseFilters, parseRegistryAuth } from '../../contract/index.ts';
import type { RegistriesApi, Services } from '../ports.ts';
import { optional } from '../query.ts';
import type { Handlers } from '../router.ts';

export function registryRoutes(services: Services): Handlers {
  return {
    async 'POST /auth'(exchange) {
      const auth = decodeRegistryAuth(await exchange.json());
      const token = await reachable(services).logIn(auth, exchange.signal);
      exchange.sendJson(200, { Status: 'Login Succeeded', IdentityToken: token });
    },

    async 'GET /images/search'(exchange) {
      const { query, signal } = exchange;
      const term = query.text('term');
      if (term === undefined) throw new BerthError('invalid', 'search needs a term');
      const results = await reachable(services).search(term, {
        limit: query.integer('limit'),
        filters: parseFilters(query.text('filters'), FILTER_KEYS.search),
        ...optional('auth', parseRegistryAuth(exchange.header('x-registry-auth'))),
        signal,
      });
      exchange.sendJson(200, results);
    },
  };
}

export function reachable({ registries }: Services): RegistriesApi {
  if (registries) return registries;
  throw new BerthError('unsupported', 'this engine cannot reach registries');
}
