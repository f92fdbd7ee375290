import { decodeVolumeCreate, FILTER_KEYS, parseFilters } from '../../contract/index.ts';
import type { Services } from '../ports.ts';
import type { Handlers } from '../router.ts';

export function volumeRoutes({ engine: { volumes } }: Services): Handlers {
  return {
    async 'GET /volumes'(exchange) {
      const filters = parseFilters(exchange.query.text('filters'), FILTER_KEYS.volumes);
      exchange.sendJson(200, await volumes.list({ filters }));
    },

    async 'POST /volumes/create'(exchange) {
      exchange.sendJson(201, await volumes.create(decodeVolumeCreate((await exchange.json()) ?? {})));
    },

    async 'GET /volumes/{name}'(exchange) {
      exchange.sendJson(200, await volumes.inspect(exchange.param('name')));
    },

    async 'DELETE /volumes/{name}'(exchange) {
      await volumes.remove(exchange.param('name'), { force: exchange.query.flag('force') });
      exchange.sendEmpty(204);
    },

    async 'POST /volumes/prune'(exchange) {
      const filters = parseFilters(exchange.query.text('filters'), FILTER_KEYS.volumesPrune);
      exchange.sendJson(200, await volumes.prune({ filters }));
    },
  };
}
