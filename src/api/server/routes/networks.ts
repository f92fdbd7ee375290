import { BerthError } from '../../../errors/index.ts';
import {
  decodeNetworkConnect,
  decodeNetworkCreate,
  decodeNetworkDisconnect,
  FILTER_KEYS,
  parseFilters,
} from '../../contract/index.ts';
import type { Exchange } from '../exchange.ts';
import type { Services } from '../ports.ts';
import type { Handlers } from '../router.ts';

export function networkRoutes({ engine: { networks } }: Services): Handlers {
  return {
    async 'GET /networks'(exchange) {
      const filters = parseFilters(exchange.query.text('filters'), FILTER_KEYS.networks);
      exchange.sendJson(200, await networks.list({ filters }));
    },

    async 'POST /networks/create'(exchange) {
      exchange.sendJson(201, await networks.create(decodeNetworkCreate(await bodyOf(exchange))));
    },

    async 'POST /networks/prune'(exchange) {
      const filters = parseFilters(exchange.query.text('filters'), FILTER_KEYS.networksPrune);
      exchange.sendJson(200, await networks.prune({ filters }));
    },

    async 'GET /networks/{id}'(exchange) {
      exchange.sendJson(200, await networks.inspect(exchange.param('id')));
    },

    async 'DELETE /networks/{id}'(exchange) {
      await networks.remove(exchange.param('id'));
      exchange.sendEmpty(204);
    },

    async 'POST /networks/{id}/connect'(exchange) {
      const { Container, EndpointConfig } = decodeNetworkConnect(await bodyOf(exchange));
      await networks.connect(exchange.param('id'), named(Container), EndpointConfig ?? {});
      exchange.sendEmpty(200);
    },

    async 'POST /networks/{id}/disconnect'(exchange) {
      const { Container } = decodeNetworkDisconnect(await bodyOf(exchange));
      await networks.disconnect(exchange.param('id'), named(Container));
      exchange.sendEmpty(200);
    },
  };
}

async function bodyOf(exchange: Exchange): Promise<unknown> {
  const body = await exchange.json();
  if (body === undefined) throw new BerthError('invalid', 'invalid JSON: the request has no body');
  return body;
}

function named(container: string | undefined): string {
  if (container) return container;
  throw new BerthError('invalid', 'no container was named');
}
